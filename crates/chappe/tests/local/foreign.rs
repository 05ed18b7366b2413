//! A session that goes to another library's format and comes back signs nobody in anew.

use chappe::{
    Client,
    session::{
        Foreign, Format, Memory, Seal, Session,
        foreign::{self, Field, Flaw, ForeignError, Home},
    },
};
use chappe_server::Handle;

use crate::telegram::{client_of, sign_in, telegram};

fn home<'a>(server: &'a Handle, address: &'a str) -> Home<'a> {
    Home::Own { address, public_key_pem: server.public_key_pem() }
}

async fn with(session: Session, server: &Handle) -> Client {
    client_of(server).session(Memory::from(session)).connect().await.unwrap()
}

#[tokio::test]
async fn an_exported_session_is_imported_and_goes_on() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let user = sign_in(&client, &server).await;
    let session = client.session();
    client.close().await.unwrap();

    let exported = Foreign::from_session(&session).unwrap();
    assert_eq!(exported.dc_id(), session.dc_id());
    assert_eq!(exported.address.as_deref(), Some(session.address()));
    assert_eq!((exported.user_id, exported.bot), (Some(user.id), Some(false)));
    assert_eq!((exported.test, exported.api_id), (None, session.api_id()));
    let address = server.address().to_string();
    let built = |format: &Format| cfg!(feature = "sqlite") || !format.is_sqlite();
    let formats = Format::ALL.into_iter().filter(|format| !format.is_folder());
    for format in formats.filter(built) {
        let written = exported.write(format).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(foreign::guess(written.as_ref()), Some(format));
        let read = Foreign::read(format, written.as_ref()).unwrap();
        let known = read.user_id;
        // Formats without an address leave it to whoever names the server.
        let given = if read.address.is_some() { "" } else { address.as_str() };
        let session = read.into_session(home(&server, given)).unwrap();
        assert!(session.is_signed_in());
        assert_eq!((session.user_id(), session.address()), (known, address.as_str()), "{format}");
        let client = with(session, &server).await;
        assert_eq!(client.me().await.unwrap().unwrap().id, user.id, "{format}");
        // By now it is known who that is, and what could not be written before can.
        let found = Foreign::from_session(&client.session()).unwrap();
        assert_eq!((found.user_id, found.bot), (Some(user.id), Some(false)), "{format}");
        assert!(found.write_older(Format::Pyrogram).is_ok());
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_session_that_nobody_is_signed_in_with_is_not_exported() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    match Foreign::from_session(&client.session()) {
        Err(ForeignError::Malformed { flaw: Flaw::NoKey, .. }) => {}
        other => panic!("{other:?}"),
    }
    client.close().await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_a_file_of_chappe_is_said() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    sign_in(&client, &server).await;
    let session = client.session();
    client.close().await.unwrap();
    let says = |bytes: &[u8]| Foreign::read(Format::Chappe, bytes).unwrap_err().to_string();
    let file = session.to_bytes().unwrap();
    assert!(says(&file.as_ref()[1..]).ends_with("it begins like something else"));
    assert!(says(&file.as_ref()[..99]).ends_with("its checksum does not fit"));
    let sealed = Seal::new("passphrase").seal(&session).unwrap();
    assert_eq!(foreign::guess(sealed.as_ref()), Some(Format::Chappe));
    assert!(
        says(sealed.as_ref()).ends_with("open it with that first"),
        "{}",
        says(sealed.as_ref())
    );
}

#[tokio::test]
async fn a_session_without_a_user_says_what_to_do_before_it_is_one_of_pyrogram() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    let user = sign_in(&client, &server).await;
    let text = Foreign::from_session(&client.session()).unwrap().write(Format::GramJs).unwrap();
    client.close().await.unwrap();
    let nameless = Foreign::read(Format::GramJs, text.as_ref()).unwrap();
    match nameless.write(Format::Pyrogram) {
        Err(ForeignError::Missing { field: Field::User, .. }) => {}
        other => panic!("{other:?}"),
    }
    let client = with(nameless.into_session(home(&server, "")).unwrap(), &server).await;
    client.me().await.unwrap().unwrap();
    let mut named = Foreign::from_session(&client.session()).unwrap();
    named.api_id = Some(1);
    let text = named.write(Format::Pyrogram).unwrap();
    let read = Foreign::read(Format::Pyrogram, text.as_ref()).unwrap();
    assert_eq!((read.user_id, read.bot, read.api_id), (Some(user.id), Some(false), Some(1)));
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_session_of_another_server_is_refused_before_anything_is_dialled() {
    let server = telegram(1).await;
    let client = client_of(&server).connect().await.unwrap();
    sign_in(&client, &server).await;
    let exported = Foreign::from_session(&client.session()).unwrap();
    client.close().await.unwrap();
    // As one of Telegram's production servers, and of a server with another key.
    let other = telegram(2).await;
    for wrong in [Home::Production, Home::Test, home(&other, "")] {
        let session = exported.clone().into_session(wrong).unwrap();
        let error = client_of(&server).session(Memory::from(session)).connect().await.unwrap_err();
        assert!(error.to_string().contains("another server"), "{error}");
    }
    let flawed = Home::Own { address: "", public_key_pem: "no key" };
    assert!(matches!(exported.into_session(flawed), Err(ForeignError::Home(_))));
}

#[test]
fn whose_server_it_is_is_told_by_the_address_or_asked_for() {
    let session = |dc_id, address: Option<&str>, test| {
        let mut session = Foreign::new(dc_id, [7; 256]);
        (session.address, session.test) = (address.map(str::to_owned), test);
        session.into_session(Home::Auto)
    };
    let production = session(2, None, None).unwrap().server_fingerprint();
    let test = session(2, None, Some(true)).unwrap().server_fingerprint();
    assert_ne!(production, test);
    let far = session(4, Some("vesta.web.telegram.org:80"), None).unwrap();
    // Where Telegram is is built in; websites and old addresses are not dialled.
    assert_eq!((far.server_fingerprint(), far.address()), (production, ""));
    for local in ["127.0.0.1:443", "[::1]:443", "localhost:443", "[fd00::1]:1"] {
        let error = session(2, Some(local), None).unwrap_err();
        assert!(matches!(error, ForeignError::OwnServer), "{local}: {error}");
    }
    assert!(matches!(session(6, None, None), Err(ForeignError::Home(_))));
    assert!(matches!(session(4, None, Some(true)), Err(ForeignError::Home(_))));
}
