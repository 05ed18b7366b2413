"""Telethon signs in by code, lists web sessions, resets one, sees it gone, signs out."""

import asyncio

from telethon import errors, functions, types

from local import check, client, refused, server


async def main():
    telegram = client()
    await telegram.connect()
    check(telegram.is_connected(), "not connected")
    check(not await telegram.is_user_authorized(), "signed in before the sign-in")
    print("key exchange and help.getConfig")

    account = server["accounts"][0]
    sent = await telegram.send_code_request(account["phone"])
    check(isinstance(sent, types.auth.SentCode), f"{sent!r} instead of auth.sentCode")
    wrong = "0" * len(account["code"])
    await refused(errors.PhoneCodeInvalidError, telegram.sign_in(account["phone"], wrong))
    me = await telegram.sign_in(account["phone"], account["code"])
    check(isinstance(me, types.User) and me.is_self and not me.bot, f"{me!r} is not the account")
    check(me.id == account["user_id"], f"signed in as {me.id}")
    print(f"signed in as {me.first_name}")

    rows = await sessions(telegram)
    hashes = [row.hash for row in rows]
    bots = [row.bot_id for row in rows]
    check(len(rows) >= 5, f"{len(rows)} web sessions")
    check(len(set(hashes)) == len(hashes) and 0 not in hashes, f"hashes {hashes}")
    check(4457235 in hashes, "no web session with the hash of the starting page")
    check(min(hashes) < 0, "no negative hash")
    check(len(set(bots)) < len(bots), "no two web sessions of one bot")
    check(any(row.date_active is None or row.date_active.timestamp() == 0 for row in rows), "no date_active of 0")
    check(any(not row.region.isascii() for row in rows), "no region beyond ASCII")
    check(any(len(row.domain.encode()) >= 254 for row in rows), "no domain of 254 bytes")
    print(f"{len(rows)} web sessions")

    hash = min(hashes)
    answer = await telegram(functions.account.ResetWebAuthorizationRequest(hash=hash))
    check(answer is True, f"{answer!r} instead of true")
    left = [row.hash for row in await sessions(telegram)]
    check(sorted(left) == sorted(set(hashes) - {hash}), f"{left} after the reset of {hash}")
    again = telegram(functions.account.ResetWebAuthorizationRequest(hash=hash))
    await refused(errors.HashInvalidError, again)
    print(f"{hash} reset, gone, HASH_INVALID")

    answer = await telegram(functions.account.ResetWebAuthorizationsRequest())
    check(answer is True, f"{answer!r} instead of true")
    check(await sessions(telegram) == [], "web sessions after the reset of all")
    print("all reset")

    check(await telegram.log_out() is True, "not signed out")
    print("done")


async def sessions(telegram):
    """The rows of account.getWebAuthorizations, each of its type and with its bot."""
    answer = await telegram(functions.account.GetWebAuthorizationsRequest())
    check(isinstance(answer, types.account.WebAuthorizations), f"{answer!r} instead of the list")
    known = {user.id for user in answer.users if user.bot}
    for row in answer.authorizations:
        check(isinstance(row, types.WebAuthorization), f"{row!r} in the list")
        check(row.bot_id in known, f"the bot {row.bot_id} is not among the users")
    return answer.authorizations


asyncio.run(main())
