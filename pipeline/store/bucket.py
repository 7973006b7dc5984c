"""How a bucket is reached for writes under a condition, and what its refusals mean."""

import contextlib
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import fsspec

from models.extras import extra
from pipeline.contract.errors import (
    CredentialsRefused,
    NotReadableNow,
    SettingsError,
    WrittenMeanwhile,
    WrongClock,
)

CREDENTIALS_ASKED_S = 600
"""Seconds after which the credentials are asked for again, so that those that renew themselves do."""

CLOCK_MOST_S = 300.0
"""What a clock may be off by, seconds. AWS refuses 900; rests of hosts and next tries are written by it."""

SCHEMES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")

_REFUSALS = (
    "ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "TokenRefreshRequired",
    "AccessDenied", "token has expired", "token included in the request is expired", "403 Forbidden",
    "401 Unauthorized", "Bad Request",
)  # fmt: skip
_WRONG_TIME = ("RequestTimeTooSkewed", "RequestExpired", "difference between the request time and")


def open_bucket(file_system: fsspec.AbstractFileSystem, url: str) -> Any:
    """Return obstore's store below a URL, with endpoint and credentials as ``file_system`` has them.

    Raises:
        SettingsError: it is no bucket of a kind that has conditional writes.
        MissingExtra: obstore is missing.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise SettingsError(f"{url}: {scheme} has no conditional writes: name a folder or a bucket ({known})")
    with extra("s3", f"writing to {url}"):
        from obstore import store as stores
    if scheme not in ("s3", "s3a"):
        return stores.from_url(url)
    bucket, _, prefix = rest.partition("/")
    file_system.connect()
    client = file_system.s3.meta
    given: dict[str, Any] = {} if file_system.anon else {"credential_provider": _Credentials(file_system)}
    return stores.S3Store(
        bucket,
        prefix=prefix or None,
        endpoint=client.endpoint_url,
        region=client.region_name or "us-east-1",
        skip_signature=bool(file_system.anon),
        client_options={"allow_http": client.endpoint_url.startswith("http://")},
        **given,
    )


class _Credentials:
    """Gives the credentials that the AWS tools would use here: environment, profile, role of the machine."""

    def __init__(self, file_system: fsspec.AbstractFileSystem) -> None:
        from botocore.session import Session

        self._key, self._secret, self._token = file_system.key, file_system.secret, file_system.token
        self._session = Session(profile=file_system.kwargs.get("profile"))

    def __call__(self) -> dict[str, Any]:
        again = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=CREDENTIALS_ASKED_S)
        if self._key:
            key, secret, token = self._key, self._secret, self._token
        else:
            found = self._session.get_credentials()
            if found is None:
                raise CredentialsRefused(
                    "there are no credentials for the bucket: set AWS_ACCESS_KEY_ID or AWS_PROFILE"
                )
            frozen = found.get_frozen_credentials()
            key, secret, token = frozen.access_key, frozen.secret_key, frozen.token
        return {"access_key_id": key, "secret_access_key": secret, "token": token, "expires_at": again}


@contextlib.contextmanager
def bucket_errors(where: str) -> Iterator[None]:
    """Turn what obstore raises into our errors.

    Raises:
        WrittenMeanwhile: the object is not what the write expected.
        FileNotFoundError: there is no such object.
        CredentialsRefused, WrongClock: the bucket does not take this machine's word.
        SettingsError: the bucket has no conditional writes.
        NotReadableNow: it does not answer.
    """
    from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PreconditionError

    try:
        yield
    except (AlreadyExistsError, PreconditionError) as error:
        raise WrittenMeanwhile(f"{where} was changed by another process") from error
    except NotSupportedError as error:
        raise SettingsError(f"{where}: this bucket has no conditional writes, name another or a folder") from error
    except BaseError as error:
        if "NotImplemented" in str(error):
            raise SettingsError(f"{where}: this bucket has no conditional writes, name another or a folder") from error
        raise refusal(where, error) or NotReadableNow(
            f"{where}: its storage does not answer ({str(error).splitlines()[0][:200]}): nothing was changed"
        ) from error


def refusal(where: str, error: BaseException) -> CredentialsRefused | WrongClock | None:
    """Return what a storage's refusal of this machine means, None where an error is none."""
    said = str(error)
    if any(word in said for word in _WRONG_TIME):
        return WrongClock(f"{where}: the bucket refuses this machine's clock: set it (timedatectl set-ntp true)")
    word = next((word for word in _REFUSALS if word in said), None)
    if word is None:
        return None
    return CredentialsRefused(
        f"{where}: the bucket refuses this machine's credentials ({word}): renew them (AWS_ACCESS_KEY_ID, "
        "AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN or AWS_PROFILE) and run again; finished stages stay"
    )


def seconds_ahead(written: dt.datetime) -> float:
    """Return by how many seconds the clock that gave a time just now is ahead of this machine's."""
    return written.timestamp() - time.time()


def refuse_wrong_clock(url: str, ahead_s: float) -> None:
    """Refuse to work where this machine's clock is far from the bucket's."""
    if abs(ahead_s) > CLOCK_MOST_S:
        side = "behind" if ahead_s > 0 else "ahead of"
        raise WrongClock(
            f"this machine's clock is {abs(ahead_s) / 60:.0f} min {side} that of {url}: set it, "
            "timedatectl set-ntp true"
        )
