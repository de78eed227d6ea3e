"""What an authenticator app does: RFC 6238, written anew so that a mistake of the library would show."""

import base64
import hmac
import re
import struct
import time

ACTIVATE = "/accounts/2fa/totp/activate/"
CODES = "/accounts/2fa/recovery-codes/"


def code_of(secret):
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06}"


def turn_on(client):
    """Turn the second factor on as a person does; return the secret and the recovery codes."""
    secret = re.search(r"<code>([A-Z2-7]{32})</code>", client.get(ACTIVATE).content.decode())[1]
    page = client.post(ACTIVATE, {"code": code_of(secret)}, follow=True).content.decode()
    return secret, recovery_codes(page)


def recovery_codes(page):
    return re.findall(r"<code>(\d{8})</code>", page)
