"""Telethon signs a new number up, names a mailbox for codes, comes back without a code."""

import asyncio

from telethon import errors, functions, types

from local import API_HASH, API_ID, check, client, code_to, control, refused, server, wrong

# With several data centres it lives in another one than the first that is dialled.
HOME = 1 if len(server["dcs"]) > 1 else server["dc_id"]
NEW = f"99966{HOME}0001"
MAILBOX = "telethon@example.com"


async def main():
    telegram = client()
    await telegram.connect()
    await refused(errors.PhoneNumberInvalidError, telegram.send_code_request("12"))
    control("PUT", f"/numbers/{NEW}", {"ways": ["sms", "call", "fragment"], "timeout": 0, "terms": {"text": "Be kind."}})
    sent = await telegram.send_code_request(NEW)
    check(isinstance(sent.type, types.auth.SentCodeTypeSms), f"sent by {sent.type!r}")
    check(isinstance(sent.next_type, types.auth.CodeTypeCall), f"next by {sent.next_type!r}")
    for kind in (types.auth.SentCodeTypeCall, types.auth.SentCodeTypeFragmentSms):
        # For Telethon a second request is one to send the code once more.
        sent = await telegram.send_code_request(NEW)
        check(isinstance(sent.type, kind), f"sent by {sent.type!r} instead of {kind.__name__}")
    check(sent.next_type is None, f"next by {sent.next_type!r}")
    code = code_to(NEW)
    await refused(errors.PhoneCodeInvalidError, telegram.sign_in(NEW, wrong(code)))
    print("sent by SMS, by call, by Fragment")

    await refused(errors.PhoneNumberUnoccupiedError, telegram.sign_in(NEW, code))
    check(telegram._tos.text == "Be kind.", f"the terms {telegram._tos.text}")
    nameless = functions.auth.SignUpRequest(NEW, sent.phone_code_hash, "", "")
    await refused(errors.FirstNameInvalidError, telegram(nameless))
    # Telethon's own sign_up refuses to.
    answer = await telegram(functions.auth.SignUpRequest(NEW, sent.phone_code_hash, "Abraham", "Chappe"))
    check(isinstance(answer, types.auth.Authorization), f"{answer!r} instead of auth.authorization")
    check(await telegram(functions.help.AcceptTermsOfServiceRequest(telegram._tos.id)), "not accepted")
    me = await telegram.get_me()
    check((me.first_name, me.last_name, me.phone) == ("Abraham", "Chappe", NEW), f"signed up as {me}")
    check(telegram.session.dc_id == HOME, f"at home in data centre {telegram.session.dc_id}")
    print("signed up")

    out = await telegram(functions.auth.LogOutRequest())
    check(out.future_auth_token, "no token for the next time")
    settings = types.CodeSettings(logout_tokens=[out.future_auth_token])
    back = await telegram(functions.auth.SendCodeRequest(NEW, API_ID, API_HASH, settings))
    check(isinstance(back, types.auth.SentCodeSuccess), f"{back!r} instead of auth.sentCodeSuccess")
    check(back.authorization.user.id == me.id, "back as somebody else")
    print("back without a code")

    control("PUT", f"/numbers/{NEW}", {"set_up_email": True})
    second = client()
    await second.connect()
    sent = await second.send_code_request(NEW)
    check(isinstance(sent.type, types.auth.SentCodeTypeSetUpEmailRequired), f"sent by {sent.type!r}")
    purpose = types.EmailVerifyPurposeLoginSetup(NEW, sent.phone_code_hash)
    mail = await second(functions.account.SendVerifyEmailCodeRequest(purpose, MAILBOX))
    code = code_to(MAILBOX)
    check(mail.email_pattern != MAILBOX and mail.length == len(code), f"{mail.length} to {mail.email_pattern}")
    verify = functions.account.VerifyEmailRequest
    bad = verify(purpose, types.EmailVerificationCode(wrong(code)))
    await refused(errors.CodeInvalidError, second(bad))
    verified = await second(verify(purpose, types.EmailVerificationCode(code)))
    check(isinstance(verified, types.account.EmailVerifiedLogin), f"{verified!r} instead of the login")
    sent = verified.sent_code
    check(isinstance(sent.type, types.auth.SentCodeTypeEmailCode), f"sent by {sent.type!r}")
    verification = types.EmailVerificationCode(code_to(MAILBOX))
    request = functions.auth.SignInRequest(NEW, sent.phone_code_hash, email_verification=verification)
    check((await second(request)).user.id == me.id, "signed in as somebody else")
    print("signed in by email")

    phone = server["accounts"][0]["phone"]
    third = client()
    await third.connect()
    sent = await third.send_code_request(phone)
    check(await third(functions.auth.CancelCodeRequest(phone, sent.phone_code_hash)), "not cancelled")
    late = third.sign_in(phone, server["accounts"][0]["code"])
    await refused(errors.PhoneCodeExpiredError, late)
    print("a cancelled code is over")
    print("done")


asyncio.run(main())
