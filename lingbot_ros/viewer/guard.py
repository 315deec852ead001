"""Who may open the page: this machine by default, others with a token. A plain ASGI middleware.

Host names are checked against a list, which stops a foreign page that lets its own name point here (DNS rebinding).
Sockets and uploads must come from the page itself, which stops a foreign page that connects here.
"""

import hmac
import ipaddress
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_REFUSED = 403
_POLICY_VIOLATION = 1008


class Guard:
    """Wraps the application. `token`: None on the loopback interface, where only this machine's users connect."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], port: int, token: str | None) -> None:
        self._app, self._hosts, self._token = app, hosts, token
        self._cookie = f"lingbot_viewer_{port}"  # cookies ignore ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the headers of every answer."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._problem(scope, headers)
        if problem is None and self._token is not None and not self._has_cookie(headers):
            if scope["type"] == "http" and self._has_token(scope):
                await self._set_cookie(scope, receive, send)
                return
            problem = "token: missing or wrong; open the address that the program printed"
        if problem is None:
            await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)
        elif scope["type"] == "http":
            await PlainTextResponse(f"{problem}\n", _REFUSED, _HEADERS)(scope, receive, send)
        else:
            # Closing before accepting answers the handshake with 403.
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})

    def _problem(self, scope: Scope, headers: Headers) -> str | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return "Host: this name is not one of this server; open the address that the program printed"
        if scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD"):
            origin = headers.get("origin")
            if origin is None or urlsplit(origin).netloc != host:
                return "Origin: only the page of this server may do this"
        return None

    def _has_token(self, scope: Scope) -> bool:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        return self._is_token(given)

    def _has_cookie(self, headers: Headers) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    def _is_token(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    async def _set_cookie(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The token leaves the address bar, so that it is neither bookmarked nor shown."""
        answer = RedirectResponse(scope["path"], 303, _HEADERS)
        answer.set_cookie(self._cookie, str(self._token), httponly=True, samesite="strict")
        await answer(scope, receive, send)


def new_token() -> str:
    """A secret of 192 bits for the address."""
    return secrets.token_urlsafe(24)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that binds `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_names(host: str) -> frozenset[str]:
    """The names under which the server may be asked for."""
    names = {"localhost", "127.0.0.1", "[::1]"}
    if not is_loopback(host):
        own = socket.gethostname()
        names |= {host, own, f"{own}.local", socket.getfqdn()}
        names |= {str(found[4][0]) for found in _addresses(own)} | _outward_address()
    return frozenset(name.lower() for name in names)


def _addresses(name: str) -> list[tuple[object, object, object, str, tuple[object, ...]]]:
    try:
        return [tuple(found) for found in socket.getaddrinfo(name, None)]  # type: ignore[misc]
    except OSError:
        return []


def _outward_address() -> set[str]:
    """The address that others see; connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return {str(probe.getsockname()[0])}
        except OSError:
            return set()


def _name(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return sending
