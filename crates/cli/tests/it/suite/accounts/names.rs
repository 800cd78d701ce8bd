//! Names and descriptions (G14, G15).

use serde_json::json;

use super::start_with_token;

/// G14, G15. Text is returned exactly as it was sent. Its length is counted in Unicode scalar values.
#[tokio::test]
async fn a_name_comes_back_exactly_as_sent() {
    let (prokura, token) = start_with_token().await;
    let longest = [
        "a".repeat(255),
        "é".repeat(255),
        "😀".repeat(255),
        "e\u{301}".repeat(127),
    ];
    let mut names = vec![
        "a",
        " a",
        "a ",
        "  spaced  out  ",
        "\u{3000}wide\u{3000}",
        "x\u{a0}y",
        // These look alike and are different names.
        "Zo\u{eb}",
        "Zoe\u{308}",
        "\u{212b}",
        "\u{c5}",
        "ﬁ",
        "fi",
        "İ",
        "ı",
        "ß",
        "ẞ",
        // Emoji are made of joiners, variation selectors and flags.
        "👩‍💻",
        "🏳️‍🌈",
        "👨‍👩‍👧‍👦",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "नर\u{200d}",
        "می\u{200c}خواهم",
        "שלום",
        "مرحبا",
        "日本語",
        "𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
        "\u{10ffff}",
        "\u{fffd}",
        "\u{fffe}",
        // Text that has a meaning in other systems is just text here.
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "&lt;&amp;",
        "'; DROP TABLE service_accounts; --",
        "\" OR 1=1 --",
        "%s%n%x%d",
        "{0}",
        "${jndi:ldap://x}",
        "{{7*7}}",
        "$(id)",
        "`id`",
        "=1+1",
        "+1",
        "-1",
        "@SUM(1)",
        "|calc",
        "\\",
        "\\u0000",
        "\\r\\nSet-Cookie: a=b",
        "%0d%0aSet-Cookie:%20a=b",
        "../../etc/passwd",
        "null",
        "undefined",
        "NaN",
        "0",
        "true",
        "level=error msg=forged",
        "{\"a\":1}",
        "a,b;c\"d'e",
    ];
    names.extend(longest.iter().map(String::as_str));
    for name in names {
        let body = json!({ "name": name, "description": name });
        let created = prokura.try_create(&token, body).await.expect(201);
        assert_eq!(created.header("x-content-type-options"), "nosniff");
        let account = created.json()["serviceAccount"].clone();
        assert_eq!(account["name"], name);
        assert_eq!(account["description"], name);
        let got = prokura
            .try_get_account(&token, account["id"].as_str().unwrap())
            .await;
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert_eq!(got.json(), json!({ "serviceAccount": account }));
        // The name is in no header, neither when the account is created nor when it is read.
        for (header, value) in created.headers.iter().chain(&got.headers) {
            let value = value.to_str().unwrap();
            assert!(name.len() < 8 || !value.contains(name), "{header}: {value}");
        }
    }
}

/// G14. Characters that hide, reorder or forge text are refused, and so are names that are too short or too long.
#[tokio::test]
async fn a_name_with_deceptive_characters_or_a_wrong_length_is_refused() {
    let (prokura, token) = start_with_token().await;
    let mut deceptive = Vec::new();
    let controls = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
    let bidirectional = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    for c in controls.chain(bidirectional) {
        deceptive.push(c);
    }
    deceptive.extend(['\u{200b}', '\u{feff}', '\u{2028}', '\u{2029}', '\u{e0001}']);
    deceptive.extend([
        '\u{ad}',
        '\u{61c}',
        '\u{200f}',
        '\u{2060}',
        '\u{3164}',
        '\u{e0041}',
    ]);
    for c in deceptive {
        for name in [format!("a{c}b"), format!("{c}ab"), format!("ab{c}")] {
            let body = json!({ "name": name });
            let refused = prokura.try_create(&token, body).await;
            refused.expect_wrong_field("name");
        }
        // A description may have line breaks and tabs, and no other control character.
        let body = json!({ "name": "CI", "description": format!("a{c}b") });
        let reply = prokura.try_create(&token, body).await;
        if matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}') {
            reply.expect(201);
        } else {
            reply.expect_wrong_field("description");
        }
    }
    let before = prokura.count("service_accounts").await;
    for name in [
        "",
        " ",
        "   ",
        "\u{3000}",
        "\u{a0}\u{2003}",
        &"a".repeat(256),
        &"😀".repeat(256),
        &"e\u{301}".repeat(128),
        &"a".repeat(40_000),
    ] {
        let body = json!({ "name": name });
        let refused = prokura.try_create(&token, body).await;
        let refused = refused.expect_wrong_field("name");
        // The error states the rule and does not repeat the text.
        assert!(refused.body.len() < 500);
    }
    let body = |chars: usize| json!({ "name": "CI", "description": "é".repeat(chars) });
    prokura.try_create(&token, body(1024)).await.expect(201);
    prokura
        .try_create(&token, body(1025))
        .await
        .expect_wrong_field("description");
    assert_eq!(prokura.count("service_accounts").await, before + 1);
}

/// G15. A name cannot have a line break, which would forge a line in a log. What the server logs of a request is its
/// path as it was sent, which cannot have a line break either.
#[tokio::test]
async fn a_name_cannot_have_a_line_break() {
    let (prokura, token) = start_with_token().await;
    for name in [
        "CI\r\nlevel=info forged",
        "CI\nforged",
        "CI\rforged",
        "CI\u{85}forged",
        "CI\u{1b}[2Jforged",
    ] {
        let body = json!({ "name": name });
        prokura
            .try_create(&token, body)
            .await
            .expect_wrong_field("name");
    }
}
