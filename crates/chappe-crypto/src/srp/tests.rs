//! Vectors, both sides against each other, and every refusal.

use super::*;
use crate::dh::KNOWN_PRIME;
use crate::test_support::{Noise, Script, array, hex, seq, vector};

fn algorithm() -> Algorithm {
    Algorithm {
        salt1: hex(
            "9b3accc457c0d5288e8cff31eb21094048bc11902f6614dbb9afb839ee7641c37619537d8ebe749e",
        ),
        salt2: hex("6c619bb0786dc4ed1bf211d23f6e4065"),
        group: Group::known(),
    }
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    sha256(&[bytes]).to_vec()
}

#[test]
fn vector_of_the_password_hash() {
    let algorithm = algorithm();
    let first = algorithm.salted(&algorithm.salted(b"qwe123", &algorithm.salt1), &algorithm.salt2);
    let expect = "3d4ddacf309e806d6e928eed7a92dc9b2ebe763242523f165cf3200e5e1d1c80";
    assert_eq!(first.to_vec(), hex(expect));
    let x = algorithm.password_hash(&"qwe123".into());
    let expect = "750f1fe282965e63ce17b98427b35549fb864465211840f6a7c1f2fb657cc33b";
    assert_eq!(x.0.to_vec(), hex(expect));
    let expect = "b9a87477bf585b87c1af9ea7d4850ff0edaa72f82e7afec3218091a79a5068b9";
    assert_eq!(to_bytes(&algorithm.multiplier())[224..], hex(expect));
}

#[test]
fn vector_of_both_sides() {
    let algorithm = algorithm();
    let x = algorithm.password_hash(&"qwe123".into());
    let verifier = algorithm.verifier(&x);
    let expect = "cfdb5638bf607302d0f63998a1abbbeedbbf354fcddcdc30d31624a437f11b5d";
    assert_eq!(digest(&verifier), hex(expect));
    let challenge = Challenge::with_secret(
        algorithm.clone(),
        U2048::from_be_slice(&verifier),
        Zeroizing::new(seq(0)),
    );
    let expect = "fb40bf4342f4e59f7fc9194e674dc3a6f0ebcfca26505363d0180568e9232802";
    assert_eq!(digest(challenge.b()), hex(expect));
    let answer = answer_with(&algorithm, &x, challenge.b(), &[7; 256]).unwrap();
    let expect = "e7a0d3a467fc041a69b221eb76827ec83bf0374b9706bf7e8b4109e198bc5a9f";
    assert_eq!(digest(&answer.a), hex(expect));
    let expect = "6b882d7833ac3f3b64fdfaf5e14e5466a5857ad96d265cd93358a9ccbad7eab0";
    assert_eq!(answer.m1.to_vec(), hex(expect));
    assert_eq!(challenge.verify(&answer.a, &answer.m1), Ok(()));
}

/// The secret 1 of this vector is too small for [`answer`], which would draw again.
#[test]
fn vector_of_gotd() {
    let algorithm = Algorithm {
        salt1: hex(
            "4d11fb6bec38f9d2546bb0f61e4f1c99a1bc0db8f0d5f35b1291b37b213123d7ed48f3c6794d495b",
        ),
        salt2: hex("a1b181aafe88188680ae32860d60bb01"),
        group: Group::known(),
    };
    let x = algorithm.password_hash(&"123123".into());
    let mut secret = [0; 256];
    secret[255] = 1;
    let answer = answer_with(&algorithm, &x, &array(&vector("srp_gotd_b")), &secret).unwrap();
    let expect = "999df906bda2c6cbb52f503406eba2d0d0503ace0cc302c38f13ee5010ad4051";
    assert_eq!(answer.m1.to_vec(), hex(expect));
    assert_eq!(answer.a[255], 3);
}

#[test]
fn both_sides_agree_only_on_the_password() {
    let algorithm = algorithm();
    let verifier = algorithm.verifier(&algorithm.password_hash(&"pässword".into()));
    let mut noise = Noise(9);
    let challenge = Challenge::new(algorithm.clone(), &verifier, &mut noise).unwrap();
    let mut ask = |password: &str, b: &[u8]| {
        answer(&algorithm, &password.into(), b, b"server random", &mut noise)
    };
    let right = ask("pässword", challenge.b()).unwrap();
    assert_eq!(challenge.verify(&right.a, &right.m1), Ok(()));
    let again = ask("pässword", challenge.b()).unwrap();
    assert_ne!(again.a, right.a);
    let wrong = ask("passwort", challenge.b()).unwrap();
    assert_eq!(challenge.verify(&wrong.a, &wrong.m1), Err(Error::SrpProof));

    // A proof for another challenge, a damaged one, and pieces of one.
    let other = Challenge::new(algorithm.clone(), &verifier, &mut Noise(10)).unwrap();
    assert_ne!(other.b(), challenge.b());
    assert_eq!(other.verify(&right.a, &right.m1), Err(Error::SrpProof));
    for at in 0..32 {
        let mut damaged = right.m1;
        damaged[at] ^= 1;
        assert_eq!(challenge.verify(&right.a, &damaged), Err(Error::SrpProof));
    }
    assert_eq!(challenge.verify(&right.a, &right.m1[..31]), Err(Error::SrpProof));
    assert_eq!(challenge.verify(&right.a, &[]), Err(Error::SrpProof));
    assert_eq!(challenge.verify(&again.a, &right.m1), Err(Error::SrpProof));
}

#[test]
fn public_values_out_of_range_are_refused() {
    let algorithm = algorithm();
    let verifier = algorithm.verifier(&algorithm.password_hash(&"x".into()));
    let challenge = Challenge::new(algorithm.clone(), &verifier, &mut Noise(1)).unwrap();
    let p = U2048::from_be_slice(&KNOWN_PRIME);
    let margin = U2048::ONE.shl_vartime(1984);
    for value in [
        U2048::ZERO,
        U2048::ONE,
        margin.wrapping_sub(&U2048::ONE),
        p.wrapping_sub(&margin).wrapping_add(&U2048::ONE),
        p.wrapping_sub(&U2048::ONE),
        p,
        U2048::MAX,
    ] {
        let value = to_bytes(&value);
        // With A = 0 or p the shared secret would be 0 for any password.
        assert_eq!(challenge.verify(&value, &[0; 32]), Err(Error::PublicValue));
        let answer = answer(&algorithm, &"x".into(), &value, &[], &mut Noise(2));
        assert_eq!(answer.map(drop), Err(Error::PublicValue));
        let challenge = Challenge::new(algorithm.clone(), &value, &mut Noise(3));
        assert_eq!(challenge.map(drop), Err(Error::PublicValue));
    }
    assert_eq!(challenge.verify(&[1; 257], &[0; 32]), Err(Error::PublicValue));
}

/// A secret of 1 has the public value 3, which is too small.
#[test]
fn an_own_value_out_of_range_is_drawn_again() {
    let algorithm = algorithm();
    let group = &algorithm.group;
    let verifier = algorithm.verifier(&algorithm.password_hash(&"x".into()));
    let challenge = Challenge::new(algorithm.clone(), &verifier, &mut Noise(1)).unwrap();
    let mut one = [0; 256];
    one[255] = 1;
    let good: [u8; 256] = seq(1);
    let mut random = Script([one, good].concat());
    let answer = answer(&algorithm, &"x".into(), challenge.b(), &[], &mut random).unwrap();
    assert_eq!(answer.a, group.public(&good).unwrap());

    // The verifier for which the server's value is 1 if its secret is the first one.
    let first: [u8; 256] = seq(2);
    let params = group.params();
    let form = |number: &U2048| FixedMontyForm::new(number, params);
    let k = algorithm.multiplier().invert_odd_mod(params.modulus()).into_option().unwrap();
    let power = group.pow(&group.generator(), &first);
    let hostile = ((form(&U2048::ONE) - form(&power)) * form(&k)).retrieve();
    let challenge = Challenge::with_secret(algorithm.clone(), hostile, Zeroizing::new(first));
    assert_eq!(U2048::from_be_slice(challenge.b()), U2048::ONE);
    let mut random = Script([first, good].concat());
    let challenge = Challenge::new(algorithm.clone(), &to_bytes(&hostile), &mut random).unwrap();
    assert_eq!(group.check_public(challenge.b()), Ok(()));
    assert!(random.0.is_empty());
}

#[test]
fn secrets_mix_both_sources() {
    let plain = draw(&[], &mut Noise(1));
    let mixed = draw(b"a", &mut Noise(1));
    assert!((0..8).all(|i| plain[i * 32..][..32] != mixed[i * 32..][..32]));
    assert_ne!(mixed, draw(b"b", &mut Noise(1)));
    assert_ne!(mixed, draw(b"a", &mut Noise(2)));
    // The mask differs from part to part.
    let masks: std::collections::HashSet<Vec<u8>> =
        (0..8).map(|i| (0..32).map(|j| plain[i * 32 + j] ^ mixed[i * 32 + j]).collect()).collect();
    assert_eq!(masks.len(), 8);
}

#[test]
fn prints_nothing_secret() {
    let algorithm = algorithm();
    let password = Password::new("qwe123");
    let x = algorithm.password_hash(&password);
    let verifier = algorithm.verifier(&x);
    let challenge = Challenge::new(algorithm, &verifier, &mut Noise(1)).unwrap();
    assert_eq!(
        format!("{password:?} {x:?} {challenge:?}"),
        "Password(..) PasswordHash(..) Challenge(..)"
    );
}
