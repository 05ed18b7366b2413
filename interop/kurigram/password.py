"""kurigram sets a password, signs in with it, changes it, recovers it by email, removes it."""

import asyncio

from pyrogram import errors, raw

from local import check, client, code_to, refused, server, wrong

EMAIL = "kurigram@example.com"

account = server["accounts"][0]


async def main():
    first = await signed_in()
    check(await first.enable_cloud_password("first", "the first") is True, "no password was set")
    await refused(errors.PasswordHashInvalid, first.change_cloud_password("wrong", "second"))
    print("a password is set")

    second = await at_the_password("the first")
    await refused(errors.PasswordHashInvalid, second.check_password("wrong"))
    await is_account(second.check_password("first"))
    print("signed in with the password")

    check(await first.change_cloud_password("first", "second") is True, "not changed")
    await refused(errors.PasswordHashInvalid, first.remove_cloud_password("first"))
    check(await first.remove_cloud_password("second") is True, "not removed")
    await refused(errors.EmailUnconfirmed, first.enable_cloud_password("third", email=EMAIL))
    right = code_to(EMAIL)
    confirm = raw.functions.account.ConfirmPasswordEmail
    await refused(errors.CodeInvalid, first.invoke(confirm(code=wrong(right))))
    check(await first.invoke(confirm(code=right)) is True, "the email address is not confirmed")
    print("the password is changed, removed and set anew with an email address")

    third = await at_the_password(None)
    await refused(errors.PasswordHashInvalid, third.check_password("second"))
    pattern = await third.send_recovery_code()
    check(pattern.endswith("@example.com") and pattern != EMAIL, f"sent to {pattern}")
    right = code_to(EMAIL)
    await refused(errors.CodeInvalid, third.recover_password(wrong(right)))
    await is_account(third.recover_password(right))
    left = await third.invoke(raw.functions.account.GetPassword())
    check(not left.has_password, "a password is left behind the recovery")
    await signed_in()
    print("recovered by email")
    print("done")


async def signed_in():
    telegram = client()
    await telegram.connect()
    sent = await telegram.send_code(account["phone"])
    await is_account(telegram.sign_in(account["phone"], sent.phone_code_hash, account["code"]))
    return telegram


async def at_the_password(hint):
    """A client whose code was right, and that has to prove that it knows the password."""
    telegram = client()
    await telegram.connect()
    sent = await telegram.send_code(account["phone"])
    sign_in = telegram.sign_in(account["phone"], sent.phone_code_hash, account["code"])
    await refused(errors.SessionPasswordNeeded, sign_in)
    told = await telegram.get_password_hint()
    check(told == hint, f"the hint {told!r} instead of {hint!r}")
    return telegram


async def is_account(sign_in):
    me = await sign_in
    check(me.id == account["user_id"], f"signed in as {me.id}")


asyncio.run(main())
