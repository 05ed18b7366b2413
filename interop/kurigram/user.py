"""kurigram signs in by code, lists web sessions, resets one, sees it gone, signs out."""

import asyncio

from pyrogram import errors, raw, types

from local import check, client, refused, server


async def main():
    telegram = client()
    check(not await telegram.connect(), "signed in before the sign-in")
    print("key exchange and help.getConfig")

    account = server["accounts"][0]
    phone = account["phone"]
    sent = await telegram.send_code(phone)
    check(isinstance(sent, types.SentCode), f"{sent!r} instead of a SentCode")
    wrong = "0" * len(account["code"])
    await refused(errors.PhoneCodeInvalid, telegram.sign_in(phone, sent.phone_code_hash, wrong))
    me = await telegram.sign_in(phone, sent.phone_code_hash, account["code"])
    check(isinstance(me, types.User) and me.is_self and not me.is_bot, f"{me!r} is not the account")
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
    check(any(row.date_active == 0 for row in rows), "no date_active of 0")
    check(any(not row.region.isascii() for row in rows), "no region beyond ASCII")
    check(any(len(row.domain.encode()) >= 254 for row in rows), "no domain of 254 bytes")
    print(f"{len(rows)} web sessions")

    hash = min(hashes)
    answer = await telegram.invoke(raw.functions.account.ResetWebAuthorization(hash=hash))
    check(answer is True, f"{answer!r} instead of true")
    left = [row.hash for row in await sessions(telegram)]
    check(sorted(left) == sorted(set(hashes) - {hash}), f"{left} after the reset of {hash}")
    again = telegram.invoke(raw.functions.account.ResetWebAuthorization(hash=hash))
    await refused(errors.HashInvalid, again)
    print(f"{hash} reset, gone, HASH_INVALID")

    answer = await telegram.invoke(raw.functions.account.ResetWebAuthorizations())
    check(answer is True, f"{answer!r} instead of true")
    check(await sessions(telegram) == [], "web sessions after the reset of all")
    print("all reset")

    # What its `start` does behind a sign-in; its `log_out` wants it done.
    await telegram.invoke(raw.functions.updates.GetState())
    check((await telegram.get_me()).id == account["user_id"], "users.getFullUser tells of another")
    await telegram.initialize()
    check(await telegram.log_out() is True, "not signed out")
    print("done")


async def sessions(telegram):
    """The rows of account.getWebAuthorizations, each of its type and with its bot."""
    answer = await telegram.invoke(raw.functions.account.GetWebAuthorizations())
    check(isinstance(answer, raw.types.account.WebAuthorizations), f"{answer!r} instead of the list")
    known = {user.id for user in answer.users if user.bot}
    for row in answer.authorizations:
        check(isinstance(row, raw.types.WebAuthorization), f"{row!r} in the list")
        check(row.bot_id in known, f"the bot {row.bot_id} is not among the users")
    return answer.authorizations


asyncio.run(main())
