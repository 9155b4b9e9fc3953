"""The store in a container of Azure Blob Storage, or of its emulator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Protocol, cast, override

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import AzureStore

from shared_code.errors import StewardError, StoreError
from shared_code.store import EMULATOR_ACCOUNT, Sink, Store, Stored, TranslatingSink, check_key, is_segment

if TYPE_CHECKING:  # obstore has these names in its stubs only
    from obstore.store import AzureBearerToken, AzureConfig, ClientConfig

# Azurite and Storage Explorer publish it: learn.microsoft.com/azure/storage/common/storage-use-azurite
_EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_SCOPE = "https://storage.azure.com/.default"

# One request and its repetitions end within 30 seconds together.
_REQUEST_TIMEOUT = timedelta(seconds=15)
_RETRY_TIMEOUT = timedelta(seconds=15)
_CHUNK = 4 * 1024 * 1024

_CONTENT_TYPES = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
_ROLE = "give the app's identity the role Storage Blob Data Contributor there, and let its network in"
_ADVICE = {
    "ContainerNotFound": "create the container, or mend STEWARD_STORE",
    "ContainerBeingDeleted": "wait until it is deleted, then create it again",
    "AuthorizationFailure": _ROLE,
    "AuthorizationPermissionMismatch": _ROLE,
    "ServerBusy": "try again later",
}


class _Token(Protocol):
    token: str
    expires_on: int


class _Credential(Protocol):
    def get_token(self, *scopes: str) -> _Token: ...


class AzureBlobStore(Store):
    """Objects as block blobs; see `open_store` for the arguments."""

    def __init__(
        self,
        endpoint: str,
        account: str,
        container: str,
        azure_credential: Callable[[], object] | None,
        root_certificate: bytes | None,
    ) -> None:
        self._describe = f"{endpoint}/{container}"
        self._tokens = None if azure_credential is None else _Tokens(azure_credential)
        # obstore reads AZURE_* variables too; those that would redirect it are set here.
        config: AzureConfig = {
            "account_name": account,
            "container_name": container,
            "endpoint": endpoint,
            "use_emulator": False,
            "use_fabric_endpoint": False,
            "skip_signature": False,
        }
        if self._tokens is None and account == EMULATOR_ACCOUNT:
            config["account_key"] = _EMULATOR_KEY
        client: ClientConfig = {
            "timeout": _REQUEST_TIMEOUT,
            "connect_timeout": timedelta(seconds=5),
            "allow_http": endpoint.startswith("http:"),
        }
        if root_certificate is not None:
            client["root_certificate"] = root_certificate
        with self._translated("opened", ""):
            self._azure = AzureStore(
                config=config,
                client_options=client,
                retry_config={"max_retries": 5, "retry_timeout": _RETRY_TIMEOUT},
                credential_provider=self._tokens,
            )

    @property
    @override
    def describe(self) -> str:
        return self._describe

    @override
    def read(self, key: str) -> Stored | None:
        check_key(key)
        with self._translated("read", key):
            try:
                result = obstore.get(self._azure, key)
                self._check_length(key, result.meta["size"])
                return Stored(bytes(result.bytes()), result.meta["e_tag"] or "")
            except FileNotFoundError as error:
                # A proxy or a missing container answers 404 as well.
                if _code(error) == "BlobNotFound":
                    return None
                raise

    @override
    def create(self, key: str, data: bytes) -> str:
        check_key(key)
        with self._translated("written", key):
            try:
                result = obstore.put(self._azure, key, data, mode="create", attributes=_attributes(key))
            except AlreadyExistsError as error:
                if _code(error) != "BlobAlreadyExists":
                    raise
                raise self._already_exists(key) from None
        return result["e_tag"] or ""

    @override
    def replace(self, key: str, data: bytes, etag: str) -> str:
        check_key(key)
        with self._translated("written", key):
            try:
                result = obstore.put(self._azure, key, data, mode={"e_tag": etag}, attributes=_attributes(key))
            except PreconditionError as error:
                if _code(error) != "ConditionNotMet":
                    raise
                raise self._changed(key) from None
        return result["e_tag"] or ""

    @override
    def write(self, key: str, data: bytes) -> None:
        check_key(key)
        with self._translated("written", key):
            obstore.put(self._azure, key, data, attributes=_attributes(key), chunk_size=_CHUNK, max_concurrency=2)

    @override
    @contextmanager
    def writer(self, key: str) -> Iterator[Sink]:
        check_key(key)
        with self._translated("written", key):
            file = obstore.open_writer(
                self._azure, key, attributes=_attributes(key), buffer_size=_CHUNK, max_concurrency=2
            )
        # Blocks become a blob only by close(); Azure forgets the others after a week.
        yield TranslatingSink(file, lambda: self._translated("written", key))
        with self._translated("written", key):
            file.close()

    @override
    def chunks(self, key: str) -> Iterator[bytes]:
        check_key(key)
        with self._translated("read", key):
            found = obstore.head(self._azure, key)
        # One short request for each chunk: a slow consumer breaks no connection, and the etag keeps one version.
        for start in range(0, found["size"], _CHUNK):
            with self._translated("read", key):
                result = obstore.get(
                    self._azure,
                    key,
                    options={"range": (start, min(start + _CHUNK, found["size"])), "if_match": found["e_tag"]},
                )
                chunk = bytes(result.bytes())
            yield chunk

    @override
    def keys(self, prefix: str) -> Iterator[str]:
        if prefix:
            check_key(prefix)
        with self._translated("listed", prefix):
            pages = obstore.list(self._azure, prefix or None, chunk_size=1000)
            found = [entry["path"] for page in pages for entry in page]
        return iter(sorted(key for key in found if all(map(is_segment, key.split("/")))))

    @override
    def folders(self, prefix: str) -> list[str]:
        if prefix:
            check_key(prefix)
        with self._translated("listed", prefix):
            found = obstore.list_with_delimiter(self._azure, prefix or None)["common_prefixes"]
        return sorted(filter(is_segment, (path.rpartition("/")[2] for path in found)))

    @override
    def delete(self, key: str) -> None:
        check_key(key)
        with self._translated("deleted", key):
            try:
                obstore.delete(self._azure, key)
            except FileNotFoundError as error:
                # obstore deletes by a batch request, whose parts carry a sentence and no code.
                if "The specified blob does not exist" not in str(error):
                    raise

    @contextmanager
    def _translated(self, done: str, key: str) -> Iterator[None]:
        """The text of an obstore error is not repeated: it is long, and a request's address may be in it."""
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            thing = f"Object '{key}' in {self.describe}" if key else self.describe
            failure = None
            if self._tokens and isinstance(error, UnauthenticatedError) and "credential provider" in str(error):
                failure = self._tokens.failure
            reason = _reason(error) if failure is None else _no_token(failure)
            raise StoreError(f"{thing} cannot be {done}: {reason}.") from failure


class _Tokens:
    """obstore's credential provider over an azure-identity credential; obstore keeps a token until it expires."""

    def __init__(self, azure_credential: Callable[[], object]) -> None:
        self._azure_credential = azure_credential
        self._credential: _Credential | None = None
        self._lock = Lock()
        self.failure: Exception | None = None

    def __call__(self) -> AzureBearerToken:
        try:
            with self._lock:
                if self._credential is None:
                    self._credential = cast(_Credential, self._azure_credential())
            got = self._credential.get_token(_SCOPE)
        except Exception as error:
            self.failure = error
            raise
        self.failure = None
        return {"token": got.token, "expires_at": datetime.fromtimestamp(got.expires_on, UTC)}


def _attributes(key: str) -> dict[str, str]:
    return {"Content-Type": _CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")}


def _code(error: Exception) -> str | None:
    match = re.search(r"<Code>(\w+)</Code>", str(error))
    return match[1] if match else None


def _no_token(failure: Exception) -> str:
    said = str(failure).rstrip(".") if isinstance(failure, StewardError) else type(failure).__name__
    return f"no token could be had ({said}); check the app's identity"


def _reason(error: Exception) -> str:
    code = _code(error)
    if isinstance(error, PreconditionError) and code in (None, "ConditionNotMet"):
        return "it changed while it was read; read it again"
    if code == "BlobNotFound" or (code is None and isinstance(error, FileNotFoundError)):
        return "it is not there; check the key and the container"
    if code is not None:
        return f"Azure answered {code}; {_ADVICE.get(code, 'look the code up in the Blob Storage documentation')}"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return f"Azure refused the app's identity; {_ROLE}"
    status = re.search(r"status code: (\d{3})", str(error))
    if status:
        return f"the answer was HTTP {status[1]} and not from Blob Storage; check STEWARD_STORE and the network"
    return "no answer came; check the account's name, the network and the certificate"
