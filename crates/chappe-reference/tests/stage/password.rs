//! Two-step verification on the stage: the password of Claude, and proofs that it is known.

use base64ct::{Base64, Encoding as _};
use chappe_crypto::{
    dh::Group,
    srp::{self, Algorithm, Password},
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use serde_json::{Value as Json, json};

use crate::stage::{DESK, Line, PHONE, Stage, send_code};

/// Claude's password, his hint, and his mailbox.
pub(crate) const PASSWORD: &str = "by day the arms, by night the lamps";
const HINT: &str = "how we signal";
pub(crate) const MAILBOX: &str = "claude@example.com";

impl Stage {
    /// Claude, who has a password.
    pub(crate) async fn owner(&mut self) -> Line {
        let mut claude = self.claude().await;
        let settings = settings(&mut claude).await;
        let empty = json!({ "_": "inputCheckPasswordEmpty" });
        let update = json!({ "password": empty, "new_settings": settings });
        claude.call("account.updatePasswordSettings", update).await;
        claude
    }

    /// Claude, who named a recovery address for his password and has to confirm it.
    pub(crate) async fn owner_with_mailbox(&mut self) -> Line {
        let mut claude = self.owner().await;
        let proof = proof(&form(&mut claude).await, PASSWORD);
        let settings = json!({ "_": "account.passwordInputSettings", "email": MAILBOX });
        let update = json!({ "password": proof, "new_settings": settings });
        claude.refused("account.updatePasswordSettings", update).await;
        claude
    }

    /// Claude's telephone, which showed the right code and owes the password; with the computer
    /// that he set it on.
    pub(crate) async fn half_signed_in(&mut self) -> (Line, Line) {
        let mut desk = self.owner_with_mailbox().await;
        let code = self.code(MAILBOX).await;
        desk.call("account.confirmPasswordEmail", json!({ "code": code })).await;
        let mut phone = self.nobody().await;
        let (number, code) = self.account();
        let hash = send_code(&mut phone, &number, json!({ "_": "codeSettings" })).await;
        let typed = json!({ "phone_number": number, "phone_code_hash": hash, "phone_code": code });
        phone.refused("auth.signIn", typed).await;
        (phone, desk)
    }

    /// Claude on his computer, where he signed in a week ago, and on his telephone.
    pub(crate) async fn two_devices(&mut self) -> (Line, Line) {
        let desk = self.claude_on(DESK).await;
        self.pass(7 * 86_400).await;
        (desk, self.claude_on(PHONE).await)
    }
}

/// The settings that give somebody without a password the one of this file.
pub(crate) async fn settings(line: &mut Line) -> Json {
    let form = form(line).await;
    let mut algorithm = algorithm(&form["new_algo"]);
    algorithm.salt1.extend([9; 32]);
    let verifier = algorithm.verifier(&algorithm.password_hash(&Password::new(PASSWORD)));
    let mut algo = form["new_algo"].clone();
    algo["salt1"] = Base64::encode_string(&algorithm.salt1).into();
    json!({
        "_": "account.passwordInputSettings",
        "new_algo": algo,
        "new_password_hash": Base64::encode_string(&verifier),
        "hint": HINT,
    })
}

/// What is to be proved, and how.
pub(crate) async fn form(line: &mut Line) -> Json {
    line.call("account.getPassword", json!({})).await
}

/// A proof that somebody knows a password.
pub(crate) fn proof(form: &Json, password: &str) -> Json {
    let algorithm = algorithm(&form["current_algo"]);
    let (b, random) = (bytes(&form["srp_B"]), bytes(&form["secure_random"]));
    let mut rng = ChaCha20Rng::from_seed([3; 32]);
    let proof = srp::answer(&algorithm, &Password::new(password), &b, &random, &mut rng).unwrap();
    json!({
        "_": "inputCheckPasswordSRP",
        "srp_id": form["srp_id"],
        "A": Base64::encode_string(&proof.a),
        "M1": Base64::encode_string(&proof.m1),
    })
}

fn algorithm(algo: &Json) -> Algorithm {
    let g = i32::try_from(algo["g"].as_i64().unwrap()).unwrap();
    let group = Group::check(&bytes(&algo["p"]), g).unwrap();
    Algorithm { salt1: bytes(&algo["salt1"]), salt2: bytes(&algo["salt2"]), group }
}

fn bytes(text: &Json) -> Vec<u8> {
    Base64::decode_vec(text.as_str().unwrap()).unwrap()
}
