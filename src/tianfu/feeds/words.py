"""The words of departments' files: for every choice the English word that is also stored, and the Chinese ones.

The Chinese words are those of the protocols and of the forms that departments fill. A word has one meaning; where two
words mean the same both are here, the usual one first.
"""

from __future__ import annotations

from typing import Final

from tianfu.colour import Colour
from tianfu.evidence.care_kinds import IsolationStage
from tianfu.evidence.circumstance_kinds import DutyGroup, EmergencyLevel, IdentityOutcome, LetterClass, MemberGroup
from tianfu.evidence.kinds import CaseStatus, ContactSetting, ContactTier
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.evidence.travel_kinds import Destination, Ventilation, ZoneLevel, ZoneRelation
from tianfu.residents.documents import DocumentType

DOCUMENT_WORDS: Final = {
    **{member.value: member for member in DocumentType},
    "居民身份证": DocumentType.RESIDENT_ID,
    "身份证": DocumentType.RESIDENT_ID,
    "护照": DocumentType.PASSPORT,
    "港澳居民来往内地通行证": DocumentType.HK_MACAU_PERMIT,
    "台湾居民来往大陆通行证": DocumentType.TAIWAN_PERMIT,
    "外国人永久居留身份证": DocumentType.FOREIGN_PERMANENT_RESIDENT,
}
RESULT_WORDS: Final = {
    **{member.value: member for member in TestResult},
    "阳性": TestResult.POSITIVE,
    "阴性": TestResult.NEGATIVE,
    "不确定": TestResult.INDETERMINATE,
}
METHOD_WORDS: Final = {
    **{member.value: member for member in TestMethod},
    "核酸": TestMethod.NUCLEIC_ACID,
    "抗原": TestMethod.ANTIGEN,
    "抗体": TestMethod.ANTIBODY,
}
STATUS_WORDS: Final = {
    **{member.value: member for member in CaseStatus},
    "确诊": CaseStatus.CONFIRMED,
    "无症状": CaseStatus.ASYMPTOMATIC,
    "疑似": CaseStatus.SUSPECTED,
    "排除": CaseStatus.EXCLUDED,
    "出院": CaseStatus.DISCHARGED,
}
TIER_WORDS: Final = {
    **{member.value: member for member in ContactTier},
    "密接": ContactTier.CLOSE,
    "次密接": ContactTier.SECONDARY,
    "时空伴随": ContactTier.COPRESENT,
    "一般接触者": ContactTier.GENERAL,
}
SETTING_WORDS: Final = {
    **{member.value: member for member in ContactSetting},
    "同住": ContactSetting.HOUSEHOLD,
    "诊疗护理": ContactSetting.CARE,
    "同工作": ContactSetting.WORK,
    "同学习": ContactSetting.SCHOOL,
    "聚餐": ContactSetting.MEAL,
    "同场所": ContactSetting.VENUE,
    "同航班": ContactSetting.FLIGHT,
    "同列车": ContactSetting.TRAIN,
    "同客车": ContactSetting.COACH,
    "同船": ContactSetting.SHIP,
    "同车": ContactSetting.VEHICLE,
    "通信": ContactSetting.TELECOM,
    "接触污染物": ContactSetting.CONTAMINATED,
    "其他": ContactSetting.OTHER,
}
STAGE_WORDS: Final = {
    **{member.value: member for member in IsolationStage},
    "集中隔离": IsolationStage.CENTRAL,
    "居家隔离": IsolationStage.HOME,
    "居家健康监测": IsolationStage.MONITORING,
}
LETTER_WORDS: Final = {
    **{member.value: member for member in LetterClass},
    "密接": LetterClass.CLOSE,
    "次密接": LetterClass.SECONDARY,
    "时空伴随": LetterClass.COPRESENT,
    "涉疫暴露": LetterClass.EXPOSED,
    "风险区": LetterClass.ZONE,
}
DESTINATION_WORDS: Final = {
    **{member.value: member for member in Destination},
    "省内": Destination.IN_PROVINCE,
    "省外": Destination.ELSEWHERE,
}
VENTILATION_WORDS: Final = {
    **{member.value: member for member in Ventilation},
    "封闭": Ventilation.SEALED,
    "全封闭空调": Ventilation.SEALED,
    "通风": Ventilation.OPEN,
    "开窗通风": Ventilation.OPEN,
}
LEVEL_WORDS: Final = {
    **{member.value: member for member in ZoneLevel},
    "高风险": ZoneLevel.HIGH,
    "中风险": ZoneLevel.MEDIUM,
    "低风险": ZoneLevel.LOW,
    "封控区": ZoneLevel.SEALED,
    "管控区": ZoneLevel.CONTROLLED,
    "防范区": ZoneLevel.PREVENTIVE,
    "解除": ZoneLevel.LIFTED,
}
RELATION_WORDS: Final = {
    **{member.value: member for member in ZoneRelation},
    "到过": ZoneRelation.INSIDE,
    "周边": ZoneRelation.SURROUNDINGS,
    "居住": ZoneRelation.RESIDENT,
}
OUTCOME_WORDS: Final = {
    **{member.value: member for member in IdentityOutcome},
    "一致": IdentityOutcome.CONFIRMED,
    "不一致": IdentityOutcome.MISMATCH,
    "查无此人": IdentityOutcome.NOT_FOUND,
    "死亡": IdentityOutcome.DECEASED,
}
GROUP_WORDS: Final = {
    **{member.value: member for member in MemberGroup},
    "学生": MemberGroup.PUPIL,
    "教职工": MemberGroup.TEACHER,
    "在院老人": MemberGroup.CARE_RESIDENT,
    "护理人员": MemberGroup.CARE_WORKER,
    "职工": MemberGroup.WORKER,
    "住户": MemberGroup.HOUSEHOLD,
}
DUTY_WORDS: Final = {
    **{member.value: member for member in DutyGroup},
    "居民": DutyGroup.RESIDENT,
    "医务人员": DutyGroup.HEALTH_WORKER,
    "冷链从业人员": DutyGroup.COLD_CHAIN,
    "口岸从业人员": DutyGroup.BORDER_WORKER,
    "交通运输从业人员": DutyGroup.TRANSPORT,
    "农贸市场从业人员": DutyGroup.MARKET,
    "学校": DutyGroup.SCHOOL,
    "养老机构": DutyGroup.CARE_HOME,
    "隔离场所工作人员": DutyGroup.ISOLATION_SITE,
}
EMERGENCY_WORDS: Final = {
    **{member.value: member for member in EmergencyLevel},
    "应急红码": EmergencyLevel.RED,
    "应急黄码": EmergencyLevel.YELLOW,
}
COLOUR_WORDS: Final = {
    **{member.value: member for member in Colour},
    "绿码": Colour.GREEN,
    "黄码": Colour.YELLOW,
    "红码": Colour.RED,
}
