//! What a name and a description may be (G14, G15).

use reqwest::Method;
use serde_json::{Value, json};

use super::start;
use crate::harness::{Prokura, Reply};

async fn create(prokura: &Prokura, token: &str, body: Value) -> Reply {
    prokura
        .api(Method::POST, "/service-accounts", token, Some(body))
        .await
}

async fn count(prokura: &Prokura) -> i64 {
    let rows = prokura.rows("SELECT count(*) FROM service_accounts").await;
    rows[0][0].as_i64().unwrap()
}

/// G14, G15: what is kept comes back exactly as it was sent, counted in Unicode scalar values.
#[tokio::test]
async fn a_name_comes_back_exactly_as_sent() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
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
        // The same to the eye, and still two names.
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
        // Joiners, variation selectors, flags: an emoji is made of them.
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
        // What means something elsewhere means nothing here.
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
        let created = create(&prokura, &token, body).await.expect(201);
        assert_eq!(created.header("x-content-type-options"), "nosniff");
        let account = created.json()["serviceAccount"].clone();
        assert_eq!(account["name"], name);
        assert_eq!(account["description"], name);
        let path = format!("/service-accounts/{}", account["id"].as_str().unwrap());
        let got = prokura.api(Method::GET, &path, &token, None).await;
        assert_eq!(got.header("x-content-type-options"), "nosniff");
        assert_eq!(got.json(), json!({ "serviceAccount": account }));
        // In no header: not of the answer that made it, nor of the one that shows it.
        for (header, value) in created.headers.iter().chain(&got.headers) {
            let value = value.to_str().unwrap();
            assert!(name.len() < 8 || !value.contains(name), "{header}: {value}");
        }
    }
}

/// G14: what hides, reorders or forges what a reader sees, and what is too short or too long.
#[tokio::test]
async fn a_name_that_deceives_is_refused() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let mut deceptive = Vec::new();
    let controls = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
    let bidirectional = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    for c in controls.chain(bidirectional) {
        deceptive.push(c);
    }
    deceptive.extend(['\u{200b}', '\u{feff}', '\u{2028}', '\u{2029}', '\u{e0001}']);
    for c in deceptive {
        for name in [format!("a{c}b"), format!("{c}ab"), format!("ab{c}")] {
            let body = json!({ "name": name });
            let refused = create(&prokura, &token, body).await;
            refused.expect_wrong_field("name");
        }
        // A description may have lines and tabs, and nothing else of these.
        let body = json!({ "name": "CI", "description": format!("a{c}b") });
        let reply = create(&prokura, &token, body).await;
        if matches!(c, '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}') {
            reply.expect(201);
        } else {
            reply.expect_wrong_field("description");
        }
    }
    let before = count(&prokura).await;
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
        let refused = create(&prokura, &token, body).await;
        let refused = refused.expect_wrong_field("name");
        // The rule is named, the text is not repeated.
        assert!(refused.body.len() < 500);
    }
    let body = |chars: usize| json!({ "name": "CI", "description": "é".repeat(chars) });
    create(&prokura, &token, body(1024)).await.expect(201);
    create(&prokura, &token, body(1025))
        .await
        .expect_wrong_field("description");
    assert_eq!(count(&prokura).await, before + 1);
}

/// G15: a line break would be two lines in a log, so it is not in a name; and what the log says of a request (`log` in
/// `http/door.rs`) is its path as it was sent, in which no line break can be.
#[tokio::test]
async fn a_name_is_one_line() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for name in [
        "CI\r\nlevel=info forged",
        "CI\nforged",
        "CI\rforged",
        "CI\u{85}forged",
        "CI\u{1b}[2Jforged",
    ] {
        let body = json!({ "name": name });
        create(&prokura, &token, body)
            .await
            .expect_wrong_field("name");
    }
}
