//! Keys, fingerprints and both paddings, there and back.

use std::sync::LazyLock;

use super::*;
use crate::test_support::{Noise, Script, array, hex, vector};

/// One generated key for all tests: generation is what takes time.
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(&mut Noise(1)));

#[test]
fn telegrams_own_keys() {
    let (main, test) = (PublicKey::production(), PublicKey::test());
    assert_eq!(main.fingerprint().to_le_bytes().to_vec(), hex("85fd64de851d9dd0"));
    assert_eq!(test.fingerprint().to_le_bytes().to_vec(), hex("03268d20df9858b2"));
    assert!(is_production_key(main.fingerprint()));
    assert!(is_production_key(test.fingerprint()));
    assert!(!is_production_key(KEY.public().fingerprint()));
    assert_eq!(main.e(), [1, 0, 1]);
    assert_eq!(PublicKey::from_pem(&main.to_pem()), Ok(main.clone()));
    assert_eq!(PublicKey::from_parts(&main.n(), &main.e()), Ok(main));
}

#[test]
fn generated_keys() {
    let key = &*KEY;
    let public = key.public();
    assert_eq!(public.n()[0] >> 7, 1);
    assert_ne!(public.fingerprint().cast_unsigned() >> 60, 0);
    assert_eq!(format!("{:016x}", public.fingerprint()), format!("{:x}", public.fingerprint()));
    let other = PrivateKey::generate(&mut Noise(1 << 32));
    assert_ne!(other.public(), public);
    // The private operation inverts the public one, and the other way round.
    for first in [0, 1, 2, 0x7f] {
        let mut block = [0x5a; 256];
        block[0] = first;
        let encrypted = public.raise(&block).unwrap();
        assert_eq!(key.lower(&encrypted), Ok(block));
        assert_eq!(public.raise(&key.lower(&block).unwrap()), Some(block));
    }
    // Against the plain definition, without the Chinese remainder theorem.
    let block = [0x21; 256];
    let plain = crate::dh::modpow(&block, &to_bytes(&key.secret.d), &public.n()).unwrap();
    assert_eq!(key.lower(&block), Ok(plain));
}

/// The first two primes of this generator make a key whose fingerprint begins with a zero.
#[test]
fn a_fingerprint_that_begins_with_a_zero_is_drawn_again() {
    let seed = 5 << 33;
    let mut noise = Noise(seed);
    let [p, q] = [(); 2].map(|()| random_prime(&mut noise).unwrap());
    let first = PrivateKey::from_primes(p, q, 65_537).unwrap();
    assert_eq!(first.public().fingerprint().cast_unsigned() >> 60, 0);
    let key = PrivateKey::generate(&mut Noise(seed));
    assert_ne!(key.public().fingerprint().cast_unsigned() >> 60, 0);
}

#[test]
fn private_keys_are_stored_as_pem() {
    let pem = KEY.to_pem();
    assert!(pem.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"));
    let read = PrivateKey::from_pem(&pem).unwrap();
    assert_eq!(read.public(), KEY.public());
    assert_eq!(*read.to_pem(), *pem);
    let crlf = pem.replace('\n', "\r\n");
    assert!(PrivateKey::from_pem(&format!("\n{crlf}\n")).is_ok());
    for at in (40..pem.len() - 40).step_by(97) {
        let mut damaged = pem.as_bytes().to_vec();
        damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
        let damaged = String::from_utf8(damaged).unwrap();
        // Only the primes are used, so that damage elsewhere is harmless.
        if let Ok(read) = PrivateKey::from_pem(&damaged) {
            assert_eq!(*read.to_pem(), *pem);
        }
    }
}

#[test]
fn private_keys_are_read_as_a_whole() {
    let pem = KEY.to_pem();
    let (_, der) = der::from_pem(&pem).unwrap();
    let numbers: [&[u8]; 9] = der::integers(&der).unwrap();
    let read = |label: &str, place: usize, number: &[u8]| {
        let mut numbers = numbers;
        numbers[place] = number;
        let pem = der::to_pem(label, &der::sequence(&numbers));
        PrivateKey::from_pem(&pem).map(drop)
    };
    const LABEL: &str = "RSA PRIVATE KEY";
    assert_eq!(read(LABEL, 0, &[]), Ok(()));
    assert_eq!(read("PRIVATE KEY", 0, &[]), Err(Error::Pem));
    assert_eq!(read(LABEL, 0, &[1]), Err(Error::Pem));
    assert_eq!(read(LABEL, 1, &PublicKey::production().n()), Err(Error::RsaKey));
    for place in 3..9 {
        assert_eq!(read(LABEL, place, &[1; 257]), Err(Error::RsaKey));
    }
}

/// Written by OpenSSL 3 from one key: `openssl rsa -traditional`, `-RSAPublicKey_out`,
/// `-pubout`.
#[test]
fn keys_of_openssl() {
    let file = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        std::fs::read_to_string(path.join(name)).unwrap()
    };
    let key = PrivateKey::from_pem(&file("openssl_private.pem")).unwrap();
    let pkcs1 = PublicKey::from_pem(&file("openssl_public_pkcs1.pem")).unwrap();
    assert_eq!(*key.public(), pkcs1);
    assert_eq!(PublicKey::from_pem(&file("openssl_public_spki.pem")), Ok(pkcs1.clone()));
    assert_eq!(pkcs1.to_pem(), file("openssl_public_pkcs1.pem"));
    assert_eq!(key.lower(&vector("openssl_raw_encrypted")), Ok([0x42; 256]));
}

#[test]
fn unusable_keys_are_refused() {
    for pem in [
        "",
        "not a key",
        "-----BEGIN RSA PUBLIC KEY-----\n-----END RSA PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
    ] {
        assert_eq!(PublicKey::from_pem(pem), Err(Error::Pem), "{pem}");
        assert_eq!(PrivateKey::from_pem(pem).map(drop), Err(Error::Pem), "{pem}");
    }
    assert_eq!(PublicKey::from_pem(&KEY.to_pem()), Err(Error::Pem));
    assert_eq!(PrivateKey::from_pem(&KEY.public().to_pem()).map(drop), Err(Error::Pem));
    let n = KEY.public().n();
    let mut even = n;
    even[255] &= 0xfe;
    let mut small = n;
    small[0] = 0x7f;
    for (n, e) in [
        (&even[..], &[1, 0, 1][..]),
        (&small[..], &[1, 0, 1]),
        (&n[..128], &[1, 0, 1]),
        (&[], &[3]),
        (&n[..], &[]),
        (&n[..], &[1]),
        (&n[..], &[1, 0, 0]),
        (&n[..], &[1, 0, 0, 0, 1]),
    ] {
        assert_eq!(PublicKey::from_parts(n, e), Err(Error::RsaKey));
    }
    let mut long = vec![1];
    long.extend(n);
    assert_eq!(PublicKey::from_parts(&long, &[3]), Err(Error::RsaKey));
}

/// A product with a composite factor of the right size is noticed.
#[test]
fn factors_must_be_primes() {
    let p = KEY.secret.p;
    let composite = Odd::new(U1024::MAX).into_option().unwrap();
    assert_eq!(PrivateKey::from_primes(p, composite, 65_537).map(drop), Err(Error::RsaKey));
    assert_eq!(PrivateKey::from_primes(p, p, 65_537).map(drop), Err(Error::RsaKey));
}

#[test]
fn rsa_pad_vectors() {
    let data = [b'a'; 144];
    let mut zeros = Script(vec![0; 48 + 32]);
    let encrypted = rsa_pad_encrypt(&data, &PublicKey::production(), &mut zeros).unwrap();
    assert_eq!(encrypted.to_vec(), vector("rsa_pad_gotd"));

    // The first temporary key gives a value above the modulus; the second is used.
    let mut random = Script(vector("rsa_pad_grammers_random"));
    let data = vector("rsa_pad_grammers_data");
    let encrypted = rsa_pad_encrypt(&data, &PublicKey::test(), &mut random).unwrap();
    assert_eq!(encrypted.to_vec(), vector("rsa_pad_grammers"));
    assert!(random.0.is_empty());
}

#[test]
fn rsa_pad_there_and_back() {
    let (key, mut noise) = (&*KEY, Noise(2));
    for length in [0, 1, 96, 100, 144] {
        let data = vec![0xab; length];
        let encrypted = rsa_pad_encrypt(&data, key.public(), &mut noise).unwrap();
        let opened = rsa_pad_decrypt(&encrypted, key).unwrap();
        assert_eq!(opened[..length], data);
        assert!(opened[length..].iter().any(|byte| *byte != 0), "the padding is random");
        let padded = decrypt(&encrypted, key).unwrap();
        assert!(matches!(padded, Padded::RsaPad(_)));
        assert_eq!(padded.verify(length), Ok(&data[..]));
        assert_eq!(padded.bytes().len(), 192);
        assert_eq!(padded.verify(193), Err(Error::RsaPadding));
        assert!(
            old_pad_decrypt(&encrypted, key).and_then(|old| old.verify(length).map(drop)).is_err()
        );
        for at in [0, 31, 32, 255] {
            let mut damaged = encrypted;
            damaged[at] ^= 1;
            assert!(rsa_pad_decrypt(&damaged, key).is_err());
        }
    }
    let too_long = rsa_pad_encrypt(&[0; 145], key.public(), &mut noise);
    assert_eq!(too_long, Err(Error::DataTooLong));
}

/// Each part of the padded block is covered by the hash: changed behind the RSA operation.
#[test]
fn rsa_pad_covers_every_byte() {
    let (key, mut noise) = (&*KEY, Noise(3));
    let encrypted = rsa_pad_encrypt(&[9; 100], key.public(), &mut noise).unwrap();
    let block = key.lower(&encrypted).unwrap();
    assert!(rsa_pad_open(&block).is_ok());
    for at in 0..256 {
        let mut damaged = block;
        damaged[at] ^= 4;
        assert_eq!(rsa_pad_open(&damaged).map(drop), Err(Error::RsaPadding), "{at}");
    }
}

#[test]
fn old_padding_there_and_back() {
    let (key, mut noise) = (&*KEY, Noise(4));
    for length in [0, 1, 96, 235] {
        let data = vec![0xcd; length];
        let encrypted = old_pad_encrypt(&data, key.public(), &mut noise).unwrap();
        let old = old_pad_decrypt(&encrypted, key).unwrap();
        assert_eq!(old.verify(length), Ok(&data[..]));
        assert_eq!(old.bytes()[..length], data);
        let padded = decrypt(&encrypted, key).unwrap();
        assert!(matches!(padded, Padded::Old(_)));
        assert_eq!(padded.verify(length), Ok(&data[..]));
        assert_eq!(padded.bytes()[..length], data);
        for wrong in [length.wrapping_sub(1), length + 1, 236, usize::MAX] {
            assert_eq!(old.verify(wrong), Err(Error::RsaPadding), "{length} {wrong}");
        }
        assert!(rsa_pad_decrypt(&encrypted, key).is_err());
    }
    let padded = |seed| old_pad_encrypt(b"data", key.public(), &mut Noise(seed)).unwrap();
    assert_ne!(padded(1), padded(2), "the padding is random");
    let too_long = old_pad_encrypt(&[0; 236], key.public(), &mut noise);
    assert_eq!(too_long, Err(Error::DataTooLong));
}

#[test]
fn values_out_of_range_are_refused() {
    let key = &*KEY;
    let n = key.public().n();
    for value in [&n[..], &[0xff; 256], &[1; 255], &[1; 257], &[]] {
        assert_eq!(decrypt(value, key).map(drop), Err(Error::RsaValue));
        assert_eq!(rsa_pad_decrypt(value, key).map(drop), Err(Error::RsaValue));
        assert_eq!(old_pad_decrypt(value, key).map(drop), Err(Error::RsaValue));
    }
    assert_eq!(key.public().raise(&n), None);
    // Small numbers are their own padding, and a wrong one.
    assert_eq!(
        decrypt(&[0; 256], key).and_then(|data| data.verify(0).map(drop)),
        Err(Error::RsaPadding)
    );
    // A number of 256 bytes cannot be of the old padding.
    let mut block = [0; 256];
    block[0] = 1;
    let encrypted: [u8; 256] = array(&key.public().raise(&block).unwrap());
    assert_eq!(old_pad_decrypt(&encrypted, key).map(drop), Err(Error::RsaPadding));
}

#[test]
fn prints_nothing_secret() {
    let text = format!("{:?}", *KEY);
    assert!(text.contains("public") && text.ends_with(".. }"));
    for number in [KEY.secret.p.as_ref(), &KEY.secret.dp, &KEY.secret.q_inverse] {
        let digits = format!("{number:?}").to_lowercase();
        let digits = digits.trim_start_matches("uint(0x");
        assert!(!text.to_lowercase().contains(&digits[..16]));
    }
    let encrypted = old_pad_encrypt(b"secret", KEY.public(), &mut Noise(5)).unwrap();
    assert_eq!(format!("{:?}", decrypt(&encrypted, &KEY).unwrap()), "Old(..)");
    assert_eq!(format!("{:?}", old_pad_decrypt(&encrypted, &KEY).unwrap()), "OldPadded(..)");
}

/// Written by OpenSSL 3: `openssl dgst -sha256 -sign openssl_private.pem`.
#[test]
fn signatures_are_those_of_openssl() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/openssl_private.pem");
    let key = PrivateKey::from_pem(&std::fs::read_to_string(folder).unwrap()).unwrap();
    let message = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJjaGFwcGUifQ";
    let signature = key.sign(message).unwrap();
    assert_eq!(signature.to_vec(), vector("openssl_signature"));
    assert_ne!(key.sign(b"").unwrap(), signature);
}

#[test]
fn a_signature_that_was_computed_wrongly_is_not_handed_out() {
    let mut key = KEY.clone();
    key.secret.dp = key.secret.dp.wrapping_add(&U1024::ONE);
    assert_eq!(key.sign(b"message"), Err(Error::RsaValue));
}
