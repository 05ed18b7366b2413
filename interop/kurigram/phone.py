"""kurigram signs a new number up, names a mailbox for codes, comes back without a code."""

import asyncio

from pyrogram import errors, raw, types
from pyrogram.enums import NextCodeType, SentCodeType

from local import API_HASH, API_ID, check, client, code_to, control, refused, server, wrong

# With several data centres it lives in another one than the first that is dialled.
HOME = 1 if len(server["dcs"]) > 1 else server["dc_id"]
NEW = f"99966{HOME}0001"
MAILBOX = "kurigram@example.com"


async def main():
    telegram = client()
    await telegram.connect()
    await refused(errors.PhoneNumberInvalid, telegram.send_code("12"))
    ways = ["missed_call", "call", "fragment"]
    control("PUT", f"/numbers/{NEW}", {"ways": ways, "timeout": 0, "terms": {"text": "Be kind."}})
    settings = types.PhoneNumberAuthenticationSettings(allow_missed_call=True)
    sent = await telegram.send_code(NEW, settings)
    hash = sent.phone_code_hash
    seen = [(sent.type, sent.next_type)]
    for _ in range(2):
        sent = await telegram.resend_code(NEW, hash)
        check(sent.phone_code_hash == hash, "the hash of the code has changed")
        seen.append((sent.type, sent.next_type))
    wanted = [
        (SentCodeType.MISSED_CALL, NextCodeType.CALL),
        (SentCodeType.CALL, NextCodeType.FRAGMENT_SMS),
        (SentCodeType.FRAGMENT_SMS, None),
    ]
    check(seen == wanted, f"sent by {seen}")
    code = code_to(NEW)
    await refused(errors.PhoneCodeInvalid, telegram.sign_in(NEW, hash, wrong(code)))
    print("sent by missed call, by call, by Fragment")

    terms = await telegram.sign_in(NEW, hash, code)
    check(isinstance(terms, types.TermsOfService) and terms.text == "Be kind.", f"{terms!r} instead of the terms")
    await refused(errors.FirstnameInvalid, telegram.sign_up(NEW, hash, ""))
    me = await telegram.sign_up(NEW, hash, "Abraham", "Chappe")
    check((me.first_name, me.last_name, me.phone_number) == ("Abraham", "Chappe", NEW), f"signed up as {me}")
    check(await telegram.accept_terms_of_service(terms.id), "the terms are not accepted")
    check(await telegram.storage.dc_id() == HOME, "at home in another data centre")
    print("signed up")

    out = await telegram.invoke(raw.functions.auth.LogOut())
    check(out.future_auth_token, "no token for the next time")
    # kurigram's send_code takes the token, but not the answer that makes a code needless.
    settings = raw.types.CodeSettings(logout_tokens=[out.future_auth_token])
    send = raw.functions.auth.SendCode(phone_number=NEW, api_id=API_ID, api_hash=API_HASH, settings=settings)
    back = await telegram.invoke(send)
    check(isinstance(back, raw.types.auth.SentCodeSuccess), f"{back!r} instead of auth.sentCodeSuccess")
    check(back.authorization.user.id == me.id, "back as somebody else")
    print("back without a code")

    control("PUT", f"/numbers/{NEW}", {"set_up_email": True})
    second = client()
    await second.connect()
    sent = await second.send_code(NEW)
    check(sent.type == SentCodeType.SETUP_EMAIL_REQUIRED, f"sent by {sent.type}")
    purpose = raw.types.EmailVerifyPurposeLoginSetup(phone_number=NEW, phone_code_hash=sent.phone_code_hash)
    mail = await second.invoke(raw.functions.account.SendVerifyEmailCode(purpose=purpose, email=MAILBOX))
    code = code_to(MAILBOX)
    check(mail.email_pattern != MAILBOX and mail.length == len(code), f"{mail.length} to {mail.email_pattern}")

    async def verify(code):
        verification = raw.types.EmailVerificationCode(code=code)
        request = raw.functions.account.VerifyEmail(purpose=purpose, verification=verification)
        return await second.invoke(request)

    await refused(errors.CodeInvalid, verify(wrong(code)))
    verified = await verify(code)
    check(isinstance(verified, raw.types.account.EmailVerifiedLogin), f"{verified!r} instead of the login")
    sent = types.SentCode._parse(verified.sent_code)
    check(sent.type == SentCodeType.EMAIL_CODE, f"sent by {sent.type}")
    request = raw.functions.auth.SignIn(
        phone_number=NEW,
        phone_code_hash=sent.phone_code_hash,
        email_verification=raw.types.EmailVerificationCode(code=code_to(MAILBOX)),
    )
    check((await second.invoke(request)).user.id == me.id, "signed in as somebody else")
    print("signed in by email")

    account = server["accounts"][0]
    phone = account["phone"]
    third = client()
    await third.connect()
    sent = await third.send_code(phone)
    cancel = raw.functions.auth.CancelCode(phone_number=phone, phone_code_hash=sent.phone_code_hash)
    check(await third.invoke(cancel), "not cancelled")
    late = third.sign_in(phone, sent.phone_code_hash, account["code"])
    await refused(errors.PhoneCodeExpired, late)
    print("a cancelled code is over")
    print("done")


asyncio.run(main())
