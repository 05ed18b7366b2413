"""Telethon sets a password, signs in with it, changes it, recovers it by email, removes it."""

import asyncio

from telethon import errors, functions, types

from local import check, client, code_to, refused, server, wrong

EMAIL = "telethon@example.com"

account = server["accounts"][0]


async def main():
    first = await signed_in()
    check(await first.edit_2fa(new_password="first", hint="the first") is True, "no password was set")
    await refused(errors.PasswordHashInvalidError, first.edit_2fa("wrong", "second"))
    print("a password is set")

    second = await at_the_password("the first")
    await refused(errors.PasswordHashInvalidError, second.sign_in(password="wrong"))
    await is_account(second.sign_in(password="first"))
    print("signed in with the password")

    asked = []

    def code(length):
        asked.append(length)
        return "0" * length

    change = first.edit_2fa("first", "second", email=EMAIL, email_code_callback=code)
    await refused(errors.CodeInvalidError, change)
    right = code_to(EMAIL)
    check(asked == [len(right)], f"asked for a code of {asked}")
    await first(functions.account.ConfirmPasswordEmailRequest(right))
    check((await password(first)).has_recovery, "the email address is no way of recovery")
    print("the password is changed, the email address confirmed")

    third = await at_the_password("")
    await refused(errors.PasswordHashInvalidError, third.sign_in(password="first"))
    sent = await third(functions.auth.RequestPasswordRecoveryRequest())
    check(isinstance(sent, types.auth.PasswordRecovery), f"{sent!r} instead of where the code went")
    check(sent.email_pattern.endswith("@example.com"), f"sent to {sent.email_pattern}")
    check(sent.email_pattern != EMAIL, "the whole address is told")
    right = code_to(EMAIL)
    await refused(errors.CodeInvalidError, third(functions.auth.RecoverPasswordRequest(code=wrong(right))))
    answer = await third(functions.auth.RecoverPasswordRequest(code=right))
    check(answer.user.id == account["user_id"], f"recovered {answer.user.id}")
    check(not (await password(third)).has_password, "a password is left behind the recovery")
    print("recovered by email")

    check(await first.edit_2fa(new_password="third") is True, "no password was set")
    check(await first.edit_2fa("third") is True, "the password was not removed")
    await signed_in()
    print("removed")
    print("done")


async def signed_in():
    telegram = client()
    await telegram.connect()
    await telegram.send_code_request(account["phone"])
    await is_account(telegram.sign_in(account["phone"], account["code"]))
    return telegram


async def at_the_password(hint):
    """A client whose code was right, and that has to prove that it knows the password."""
    telegram = client()
    await telegram.connect()
    await telegram.send_code_request(account["phone"])
    sign_in = telegram.sign_in(account["phone"], account["code"])
    await refused(errors.SessionPasswordNeededError, sign_in, 401)
    told = (await password(telegram)).hint or ""
    check(told == hint, f"the hint {told!r} instead of {hint!r}")
    return telegram


async def password(telegram):
    return await telegram(functions.account.GetPasswordRequest())


async def is_account(sign_in):
    me = await sign_in
    check(me.id == account["user_id"], f"signed in as {me.id}")


asyncio.run(main())
