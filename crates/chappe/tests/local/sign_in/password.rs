//! The password, and its recovery.

use bytes::Bytes;
use chappe::{
    Encode, Error, Rejected, SignIn,
    api::{enums, types},
};
use chappe_crypto::dh::KNOWN_PRIME;

use crate::script::{Line, stage};
use crate::telegram::{client_of, code, done, sign_in, telegram};

#[tokio::test]
async fn a_password_is_asked_for_and_checked() {
    let server = telegram(1).await;
    let first = client_of(&server).connect().await.unwrap();
    sign_in(&first, &server).await;
    first.set_password(None, "correct horse", "animal").await.unwrap();

    let client = client_of(&server).connect().await.unwrap();
    let account = &server.accounts()[0];
    let step = code(client.sign_in_phone(&account.phone).await.unwrap());
    let step = match step.submit(&account.code).await.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!((step.hint(), step.rejected()), (Some("animal"), None));
    assert_eq!(client.me().await.unwrap(), None);
    let step = match step.submit("wrong horse").await.unwrap() {
        SignIn::Password(step) => step,
        other => panic!("{other:?}"),
    };
    assert_eq!((step.hint(), step.rejected()), (Some("animal"), Some(Rejected::Wrong)));
    assert_eq!(done(step.submit("correct horse").await).id, account.user_id);
    assert_eq!(client.me().await.unwrap().unwrap().id, account.user_id);
}

/// `account.password` with this prime, generator and public value.
fn challenge(p: &[u8], g: i32, b: &[u8]) -> Line {
    let algorithm = types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
        salt1: Bytes::from_static(&[1; 8]),
        salt2: Bytes::from_static(&[2; 8]),
        g,
        p: p.to_vec().into(),
    };
    let new = enums::SecurePasswordKdfAlgo::Unknown;
    let mut password = types::account::Password::new(algorithm.clone(), new, vec![3; 256]);
    password.has_password = true;
    password.current_algo = Some(algorithm.into());
    password.srp_b = Some(b.to_vec().into());
    password.srp_id = Some(7);
    Ok(password.to_bytes())
}

/// Item 23 of the checklist: whoever can choose the group or the value learns the password.
#[tokio::test]
async fn an_unsafe_password_challenge_is_not_answered() {
    let good = [0x5a; 256];
    let mut composite = KNOWN_PRIME;
    composite[255] ^= 2;
    let zero = [0; 256];
    for (p, g, b) in [
        (&composite[..], 3, &good[..]),
        (&KNOWN_PRIME[1..], 3, &good[..]),
        (&KNOWN_PRIME[..], 2, &good[..]),
        (&KNOWN_PRIME[..], 3, &zero[..]),
        (&KNOWN_PRIME[..], 3, &KNOWN_PRIME[..]),
        (&KNOWN_PRIME[..], 3, &[1; 257][..]),
    ] {
        let app = types::auth::SentCodeTypeApp { length: 5 };
        let sent = types::auth::SentCode::new(app, "hash").to_bytes();
        let asks = challenge(p, g, b);
        let script = vec![Ok(sent), Err((401, "SESSION_PASSWORD_NEEDED")), asks.clone(), asks];
        let stage = stage(script, Bytes::new()).await;
        let step = code(stage.client.sign_in_phone("+1 555 0100").await.unwrap());
        let SignIn::Password(step) = step.submit("12345").await.unwrap() else {
            panic!("no password is asked for");
        };
        let error = step.submit("correct horse").await.unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert_eq!(stage.count(), 4, "nothing was proved to anybody");
    }
}
