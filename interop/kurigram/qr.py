"""kurigram signs in by QR code, with a password the second time, then lets somebody else in.

Links go out as lines `qr LINK`; the password and the link of somebody else come in as lines.
"""

import asyncio
import base64
import sys

from pyrogram import errors, raw
from pyrogram.qrlogin import QRLogin

from local import check, client, refused, server

account = server["accounts"][0]


async def main():
    first = client()
    await first.connect()
    await is_account(scanned(first))
    print("signed in by QR code", flush=True)

    # chappe has set a password meanwhile.
    password = await next_line()
    second = client()
    await second.connect()
    await refused(errors.SessionPasswordNeeded, scanned(second))
    await refused(errors.PasswordHashInvalid, second.check_password("another"))
    await is_account(second.check_password(password))
    check(await first.change_cloud_password(password, "theirs") is True, "not changed")
    print("signed in by QR code and password", flush=True)

    link = await next_line()
    text = link.removeprefix("tg://login?token=")
    token = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    accept = raw.functions.auth.AcceptLoginToken
    await refused(errors.AuthTokenInvalidx, first.invoke(accept(token=token[::-1])))
    device = await first.invoke(accept(token=token))
    check(isinstance(device, raw.types.Authorization), f"{device!r} instead of the new device")
    check(device.password_pending, "the password of the new device is not waited for")
    print("let somebody in")
    print("done")


async def scanned(telegram):
    """Waits until a link was scanned by a device that is signed in."""
    login = QRLogin(telegram)
    await login.recreate()
    waiting = asyncio.create_task(login.wait(60))
    # From here on the update is waited for.
    await asyncio.sleep(0)
    print("qr", login.url, flush=True)
    return await waiting


async def next_line():
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def is_account(sign_in):
    me = await sign_in
    check(me.id == account["user_id"], f"signed in as {me.id}")


asyncio.run(main())
