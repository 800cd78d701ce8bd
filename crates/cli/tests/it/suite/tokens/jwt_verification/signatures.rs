//! Signatures that are almost valid (JV9).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use prokura_server::domain::SigningAlgorithm;

use super::{Scene, hex, signature_of, with_signature};

/// JV9. The signature covers every bit. The test flips a bit of each byte and cuts the token at every length.
#[tokio::test]
async fn an_altered_jwt_is_refused() {
    for algorithm in [
        SigningAlgorithm::Es256,
        SigningAlgorithm::EdDsa,
        SigningAlgorithm::Rs256,
    ] {
        let scene = Scene::with(algorithm).await;
        let signature = signature_of(&scene.issued);
        for at in 0..signature.len() {
            let mut altered = signature.clone();
            altered[at] ^= 1 << (at % 8);
            let token = with_signature(&scene.issued, &altered);
            scene.assert_refused("a flipped bit", &token).await;
        }
        for length in [0, 1, 32, 63, signature.len() - 1] {
            let token = with_signature(&scene.issued, &signature[..length]);
            scene.assert_refused("truncated", &token).await;
        }
        for longer in [
            [&[0], &signature[..]].concat(),
            [&signature[..], &[0]].concat(),
            [&signature[..], &signature[..]].concat(),
            vec![0; signature.len()],
            vec![0xff; signature.len()],
        ] {
            let token = with_signature(&scene.issued, &longer);
            scene
                .assert_refused("another length or value", &token)
                .await;
        }
        // Each character of the header and the claims.
        let end = scene.issued.rfind('.').unwrap();
        for at in (0..end).step_by(3) {
            let mut altered = scene.issued.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            scene.assert_refused("another message", &altered).await;
        }
        // The signature of one token with the claims of another.
        let other = scene.prokura.access_token(&scene.prokura.root).await;
        let swapped = with_signature(&scene.issued, &signature_of(&other));
        scene.assert_refused("another's signature", &swapped).await;
    }
}

/// JV9. ES256 signatures that lenient verifiers accept.
#[tokio::test]
async fn an_es256_signature_must_be_two_numbers_in_range() {
    let scene = Scene::es256().await;
    let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let signature = signature_of(&scene.issued);
    let (r, s) = signature.split_at(32);
    let (zero, above) = ([0; 32], [0xff; 32]);
    let mut one = zero;
    one[31] = 1;
    let pairs: [(&str, [&[u8]; 2]); 12] = [
        ("r = 0", [&zero, s]),
        ("s = 0", [r, &zero]),
        ("r = s = 0", [&zero, &zero]),
        ("r = n", [&order, s]),
        ("s = n", [r, &order]),
        ("r = n, s = n", [&order, &order]),
        ("r = 0, s = n", [&zero, &order]),
        ("r = n, s = 0", [&order, &zero]),
        ("r = 1, s = 1", [&one, &one]),
        ("r > n", [&above, s]),
        ("s > n", [r, &above]),
        ("exchanged", [s, r]),
    ];
    for (what, numbers) in pairs {
        let token = with_signature(&scene.issued, &numbers.concat());
        scene.assert_refused(what, &token).await;
    }
    // ASN.1, as in TLS and certificates. RFC 7518 §3.4 requires the two numbers side by side.
    let numbers = [integer(r), integer(s)].concat();
    let length = u8::try_from(numbers.len()).unwrap();
    let der = [&[0x30, length], &numbers[..]].concat();
    let token = with_signature(&scene.issued, &der);
    scene.assert_refused("DER", &token).await;
    // 33 bytes for each number, with a leading zero.
    let padded = [&[0], r, &[0], s].concat();
    let token = with_signature(&scene.issued, &padded);
    scene.assert_refused("leading zeros", &token).await;

    // ECDSA also accepts (r, n - s). Both spellings are one token, and one revocation ends both.
    let twin = with_signature(&scene.issued, &[r, &subtract(&order, s)].concat());
    assert_ne!(twin, scene.issued);
    scene.assert_believed("the twin", &twin).await;
    let form = [("token", &*twin)];
    let (prokura, root) = (&scene.prokura, &scene.prokura.root);
    prokura
        .form("/oauth2/revoke", root, &form)
        .await
        .expect(200);
    scene.assert_refused("the twin", &twin).await;
    scene.assert_refused("the token", &scene.issued).await;
}

/// JV9. The other spellings of an Ed25519 signature. Points of small order cannot occur, because our own key is not one.
#[tokio::test]
async fn an_ed25519_signature_has_one_spelling() {
    let scene = Scene::with(SigningAlgorithm::EdDsa).await;
    let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let signature = signature_of(&scene.issued);
    let (point, scalar) = signature.split_at(32);
    // RFC 8032 §5.1.7: S must be below the order of the group.
    let mut sum = scalar.to_vec();
    for times in 1..8 {
        let mut carry = 0;
        for (byte, added) in sum.iter_mut().zip(&order) {
            let total = u16::from(*byte) + u16::from(*added) + carry;
            (*byte, carry) = (total as u8, total >> 8);
        }
        assert_eq!(carry, 0);
        let token = with_signature(&scene.issued, &[point, &sum].concat());
        scene.assert_refused(&format!("S + {times}L"), &token).await;
    }
    let identity = [&[1][..], &[0; 31]].concat();
    let no_point = [0xff; 32];
    let mut negative = point.to_vec();
    negative[31] ^= 0x80;
    let halves: [(&str, [&[u8]; 2]); 6] = [
        ("S = 0", [point, &[0; 32]]),
        ("S = L", [point, &order]),
        ("R is the identity", [&identity, scalar]),
        ("R is the identity, S = 0", [&identity, &[0; 32]]),
        ("R is no point", [&no_point, scalar]),
        ("R is the other sign", [&negative, scalar]),
    ];
    for (what, halves) in halves {
        let token = with_signature(&scene.issued, &halves.concat());
        scene.assert_refused(what, &token).await;
    }
}

/// JV9. RSA signatures made without the key. Our keys have 2048 bits and the exponent 65537 (K2), so roots and small
/// moduli do not help. What is left are numbers that equal their own power.
#[tokio::test]
async fn an_rsa_signature_that_equals_its_own_power_is_refused() {
    let scene = Scene::with(SigningAlgorithm::Rs256).await;
    let jwks = scene.prokura.get("/.well-known/jwks.json").await.json();
    let modulus = jwks["keys"][0]["n"].as_str().unwrap();
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(modulus).unwrap();
    let mut one = vec![0; 256];
    one[255] = 1;
    let signature = signature_of(&scene.issued);
    for (what, number) in [
        ("0", vec![0; 256]),
        ("1", one.clone()),
        ("n - 1", subtract(&modulus, &one)),
        ("n", modulus.clone()),
        ("n - s", subtract(&modulus, &signature)),
        ("s without its first byte", signature[1..].to_vec()),
        ("s behind a zero", [&[0], &signature[..]].concat()),
    ] {
        let token = with_signature(&scene.issued, &number);
        scene.assert_refused(what, &token).await;
    }
}

/// `a - b` of two big-endian numbers of the same length. `a` must not be less than `b`.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut difference = a.to_vec();
    let mut borrow = 0;
    for (byte, subtracted) in difference.iter_mut().zip(b).rev() {
        let rest = i16::from(*byte) - i16::from(*subtracted) - borrow;
        (*byte, borrow) = (rest.rem_euclid(256) as u8, i16::from(rest < 0));
    }
    assert_eq!(borrow, 0);
    difference
}

/// A big-endian number of at most 33 bytes as an ASN.1 INTEGER.
fn integer(number: &[u8]) -> Vec<u8> {
    let first = number.iter().position(|&byte| byte != 0).unwrap_or(0);
    let mut number = number[first..].to_vec();
    if number[0] >= 0x80 {
        number.insert(0, 0);
    }
    [&[2, u8::try_from(number.len()).unwrap()], &number[..]].concat()
}
