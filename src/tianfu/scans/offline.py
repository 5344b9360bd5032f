"""When a scan that is sent later took place: what a device without network says of itself, within limits. Hot.

Its clock is all there is to go by, so the event says that it was offline and keeps both instants.
"""

from __future__ import annotations

from typing import Final

from tianfu.errors import TianfuError

# A guard's device that was without network for a whole week has sent nothing that still helps to find a contact.
OFFLINE_AGE_MS_MAX: Final = 7 * 86_400 * 1000
# A device sets its clock by the network when it has one; a few minutes of drift are an honest clock, more is not.
OFFLINE_AHEAD_MS_MAX: Final = 5 * 60 * 1000


class ScanTooOldError(TianfuError):
    """What was scanned offline is older than is still taken. Sending it again does not help."""

    code = "scan_too_old"
    status = 422
    zh = "该离线扫码记录已超过 7 天，不再接收。"
    en = "This offline scan is more than 7 days old and is no longer taken."


class ScanInFutureError(TianfuError):
    """What was scanned offline has a time that is still to come: the device's clock is wrong."""

    code = "scan_in_future"
    status = 422
    zh = "该离线扫码记录的时间晚于当前时间，请校准设备时间。"
    en = "This offline scan has a time that is still to come; please set the device's clock."


def happened_at_ms(scanned_at: int | None, at_ms: int) -> int:
    """When the scan took place, in milliseconds since 1970; without a `scanned_at`, now.

    Raises `ScanTooOldError` and `ScanInFutureError`.
    """
    if scanned_at is None:
        return at_ms
    if scanned_at < at_ms - OFFLINE_AGE_MS_MAX:
        raise ScanTooOldError
    if scanned_at > at_ms + OFFLINE_AHEAD_MS_MAX:
        raise ScanInFutureError
    return scanned_at
