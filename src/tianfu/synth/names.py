"""Words that synthetic people and places are called by. None of them stands for a real person or business."""

from __future__ import annotations

from typing import Final

# Frequent surnames, the most frequent first; `county` draws earlier ones more often.
SURNAMES: Final = (
    *("李", "王", "张", "刘", "陈", "杨", "黄", "周", "吴", "何", "罗", "徐", "赵", "唐", "谢", "邓", "曾", "蒋"),
    *("彭", "肖", "胡", "朱", "林", "郑", "冯", "曹", "叶", "余", "苏", "吕", "魏", "田", "任", "谭", "廖", "石"),
    *("范", "姚", "邹", "熊", "陆", "白", "夏", "龚", "雷", "龙", "欧阳", "司马"),
)
GIVEN: Final = (
    *("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "霞"),
    *("平", "刚", "桂", "英", "华", "玉", "兰", "梅", "琴", "云", "鹏", "飞", "宇", "欣", "怡", "佳", "晨", "雨"),
    *("思", "梓", "涵", "诗", "文", "俊", "浩", "然", "子", "轩", "一", "诺", "若", "雪", "晓", "春", "建", "国"),
    *("志", "光", "祥", "瑞", "成", "川", "蓉", "岷", "锦", "青", "松", "柏", "月", "秋", "冬", "阳"),
)

STREETS: Final = (
    *("同安街", "桃花巷", "驿马路", "怡和路", "长柏路", "公园路", "北泉路", "鲸龙路", "简华路", "金枫路", "芦溪路"),
    *("书南街", "青台山路", "龙都路", "枇杷沟路", "滨河路"),
)
PLACES: Final = (
    *("桃源", "驿城", "东山", "明湖", "青龙", "长松", "黄土", "洛带", "玉石", "平安", "书房", "柏合", "西平", "红岭"),
    *("茶店", "万兴", "金桥", "芦溪", "怡湖", "北泉"),
)

# Category of a venue, what its name ends in, and how many of each hundred venues there are.
VENUE_KINDS: Final = (
    ("medical", "社区卫生服务中心", 6),
    ("medical", "人民医院", 3),
    ("school", "小学", 8),
    ("school", "中学", 6),
    ("welfare", "敬老院", 3),
    ("market", "农贸市场", 8),
    ("retail", "超市", 10),
    ("catering", "川菜馆", 8),
    ("catering", "面馆", 6),
    ("exhibition", "会展中心", 1),
    ("tourism", "古镇景区", 3),
    ("culture", "文化馆", 4),
    ("sport", "体育馆", 3),
    ("hotel", "宾馆", 6),
    ("transport", "客运站", 3),
    ("vehicle", "公交线", 6),
    ("park", "公园", 5),
    ("community", "社区", 11),
)
