//! What a request body may be, and what a name (G10, G12 to G16).

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use super::start;
use crate::harness::{Prokura, Reply};

/// Creates an account with a body as it is.
async fn create(prokura: &Prokura, token: &str, body: impl Into<Vec<u8>>) -> Reply {
    send(prokura, token, Some("application/json"), body).await
}

async fn send(
    prokura: &Prokura,
    token: &str,
    content_type: Option<&str>,
    body: impl Into<Vec<u8>>,
) -> Reply {
    let mut request = prokura
        .request(Method::POST, "/api/v1/service-accounts")
        .bearer_auth(token)
        .body(body.into());
    if let Some(content_type) = content_type {
        request = request.header(CONTENT_TYPE, content_type);
    }
    prokura.send(request).await
}

async fn count(prokura: &Prokura) -> i64 {
    let rows = prokura.rows("SELECT count(*) FROM service_accounts").await;
    rows[0][0].as_i64().unwrap()
}

/// G10, A18: nobody chooses what is the server's to choose; the answer names the member.
#[tokio::test]
async fn a_member_that_is_not_the_callers_to_set_is_refused() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for member in [
        "id",
        "clientId",
        "clientSecret",
        "organizationId",
        "organization",
        "createdAt",
        "updatedAt",
        "createdBy",
        "lastUsedAt",
        "disabled",
        "disabledAt",
        "tokenEpoch",
        "credentials",
        "serviceAccount",
        "sub",
        "scope",
        "Name",
        "NAME",
        "name ",
        "__proto__",
        "constructor",
        "$ref",
        "",
    ] {
        for value in [json!("x"), json!(null), json!({ "name": "x" })] {
            let body = json!({ "name": "CI", member: value });
            create(&prokura, &token, body.to_string())
                .await
                .expect_wrong_field(member);
            // Rotating takes no member at all.
            let path = format!("/service-accounts/{}/rotate-secret", prokura.root.id);
            let body = json!({ member: value });
            prokura
                .api(Method::POST, &path, &token, Some(body))
                .await
                .expect_wrong_field(member);
        }
    }
    // What is repeated of a member's name is bounded.
    let body = format!(r#"{{"name":"CI","{}":1}}"#, "x".repeat(10_000));
    let refused = create(&prokura, &token, body).await;
    assert!(refused.expect(400).body.len() < 1000);
    assert_eq!(count(&prokura).await, 1);
    prokura.access_token(&prokura.root).await;
}

/// G12: of two values none is picked.
#[tokio::test]
async fn a_member_given_twice_is_refused() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for (body, field) in [
        (r#"{"name":"a","name":"b"}"#, "name"),
        (r#"{"name":"a","name":"a"}"#, "name"),
        (r#"{"name":"a","\u006eame":"b"}"#, "name"),
        (
            r#"{"name":"a","description":null,"description":"b"}"#,
            "description",
        ),
        (
            r#"{"name":"a","scopes":[],"scopes":["management:all"]}"#,
            "scopes",
        ),
    ] {
        create(&prokura, &token, body)
            .await
            .expect_wrong_field(field);
    }
    assert_eq!(count(&prokura).await, 1);
}

/// G13: what is no JSON text by RFC 8259, in the spirit of the `n_` files of JSONTestSuite. Each is tried as the whole
/// body and as the value of a member.
#[tokio::test]
async fn what_is_not_json_is_refused() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let mut broken: Vec<Vec<u8>> = [
        // Arrays.
        "[1 true]",
        "[a]",
        "[\"\": 1]",
        "[1,,2]",
        "[,1]",
        "[1,]",
        "[1,,]",
        "[\"x\"]]",
        "[\"\",]",
        "[\"x\"",
        "[x",
        "[3[4]]",
        "[1:2]",
        "[,]",
        "[-]",
        "[   , \"\"]",
        "[1,\n1\n,1",
        "[*]",
        "[1",
        "[1,",
        "[{}",
        "]",
        "[\u{b}]",
        "[\u{c}]",
        // Numbers.
        "++1",
        "+1",
        "+Inf",
        "-01",
        "-1.0.",
        "-2.",
        "-NaN",
        ".-1",
        ".2e-3",
        "0.1.2",
        "0.3e+",
        "0.3e",
        "0.e1",
        "0e+",
        "0e",
        "1.0e+",
        "1.0e-",
        "1.0e",
        "1 000.0",
        "1eE2",
        "2.e+3",
        "9.e+",
        "Inf",
        "NaN",
        "Infinity",
        "-Infinity",
        "1+2",
        "0x1",
        "0x42",
        "-foo",
        "- 1",
        "-012",
        "012",
        "1ea",
        "1.2a-3",
        "\u{ff11}",
        "1_000",
        "1e400",
        "-1e400",
        "0b1",
        "1n",
        // Objects.
        "{\"a\" b}",
        "{:\"b\"}",
        "{\"a\" \"b\"}",
        "{\"a\":",
        "{\"a\"",
        "{1:1}",
        "{9999E9999:1}",
        "{\"id\":0,,,,,}",
        "{'a':0}",
        "{\"id\":0,}",
        "{\"a\":\"b\"}/**/",
        "{\"a\":\"b\"}//",
        "{\"a\":/*comment*/\"b\"}",
        "{a: \"b\"}",
        "{\"a\":\"a",
        "{",
        "{]",
        "{\"a\":\"b\",,\"c\":\"d\"}",
        "{null:1}",
        "{\"a\": true} \"x\"",
        "{\"a\":\"b\"}#",
        "{#\n}",
        // Strings.
        "\"",
        "'a'",
        "\"\\x00\"",
        "\"\\a\"",
        "\"\\\"",
        "\"\\u\"",
        "\"\\u00\"",
        "\"\\u00A\"",
        "\"\\uD834\\uDd\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\ud800\"",
        "\"\\uD800\\u\"",
        "\"\\ud800abc\"",
        "\"\\u{41}\"",
        "\"\\🌀\"",
        "\"\\U0041\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"a\u{0}b\"",
        "\"a\u{1f}b\"",
        "\\n",
        "é",
        "\"x",
        "\"a\" \"b\"",
        "`a`",
        "“a”",
        // Whole texts.
        "",
        " ",
        "\u{feff}",
        "\u{feff}{}",
        "{}{}",
        "{} {}",
        "{}}",
        "<null>",
        "nul",
        "tru",
        "True",
        "TRUE",
        "nil",
        "undefined",
        "None",
        "truefalse",
        "\u{2060}",
        "\u{a0}1",
        "\u{c}1",
        "/**/ 1",
        "// a\n1",
        "[][]",
        "1]",
        "{\"x\": true,",
        "\u{0}",
        "@",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    broken.extend([
        b"\"\xff\"".to_vec(),
        b"\"\xe0\xff\"".to_vec(),
        b"\"\xc0\xaf\"".to_vec(),
        b"\"\xed\xa0\x80\"".to_vec(),
        b"\"\xf4\xbf\xbf\xbf\"".to_vec(),
        b"{\"\xe5\":1}".to_vec(),
        b"\xe5".to_vec(),
        b"1\xe5".to_vec(),
        b"\xff\xfe{\0}\0".to_vec(),
        b"\xfe\xff\0{\0}".to_vec(),
        b"{\0}\0".to_vec(),
        "{\"a\":".repeat(10_000).into_bytes(),
        "[".repeat(50_000).into_bytes(),
        [vec![b'['; 20_000], vec![b']'; 20_000]].concat(),
        [b"1".repeat(10_000), b".5".to_vec()].concat(),
        [b"-".to_vec(), b"9".repeat(10_000)].concat(),
    ]);
    assert!(broken.len() > 150);
    for text in &broken {
        let shown = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
        for body in [
            text.clone(),
            [b"{\"name\":\"CI\",\"description\":", &**text, b"}"].concat(),
        ] {
            let reply = create(&prokura, &token, body).await;
            assert_eq!(reply.status, 400, "{shown:?} {reply:?}");
            reply.expect_wrong_field("body");
        }
    }
    assert_eq!(count(&prokura).await, 1);
}

/// G13: what is JSON but no object.
#[tokio::test]
async fn only_an_object_is_a_body() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for body in [
        "[]",
        "[{\"name\":\"CI\"}]",
        "\"name\"",
        "null",
        "true",
        "1",
        "-0.0e5",
        " [ ] ",
    ] {
        let refused = create(&prokura, &token, body).await;
        let refused = refused.expect_wrong_field("body").json();
        assert!(refused["message"].as_str().unwrap().contains("object"));
    }
    assert_eq!(count(&prokura).await, 1);
}

/// G13: what is JSON is read as JSON, in the spirit of the `y_` files: as the value of a member it is the wrong value for
/// that member, not a broken body; as white space and escapes it changes nothing.
#[tokio::test]
async fn what_is_json_is_read() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for value in [
        "[[]   ]",
        "[\"\"]",
        "[]",
        "[\"a\"]",
        "[false]",
        "[null, 1, \"1\", {}]",
        "[null]",
        "[1\n]",
        " [1]",
        "[1,null,null,null,2]",
        "[2] ",
        "[123e65]",
        "[0e+1]",
        "[0e1]",
        "[ 4]",
        "[-0.000000000000000000000000000000000000000000000001]",
        "[20e1]",
        "[-0]",
        "[-123]",
        "[-1]",
        "[1E22]",
        "[1E-2]",
        "[1E+2]",
        "[123e45]",
        "[123.456e78]",
        "[123.456789]",
        "{\"asd\":\"sdf\",\"dfg\":\"fgh\"}",
        "{\"a\":\"b\",\"a\":\"c\"}",
        "{}",
        "{\"\":0}",
        "{\"foo\\u0000bar\": 42}",
        "{ \"min\": -1.0e+28, \"max\": 1.0e+28 }",
        "{\"x\":[{\"id\": \"xx\"}], \"id\": \"xx\"}",
        "{\"a\":[]}",
        "{\n\"a\": \"b\"\n}",
        "true",
        "false",
        "1",
        "-0.1",
        "1e308",
        "\t1\r\n",
    ] {
        let body = format!("{{\"name\":\"CI\",\"description\":{value}}}");
        create(&prokura, &token, body)
            .await
            .expect_wrong_field("description");
    }
    for (string, read) in [
        (r#""\u0060\u012a\u12AB""#, "\u{60}\u{12a}\u{12ab}"),
        (r#""\uD801\udc37""#, "\u{10437}"),
        (r#""\ud83d\ude39\ud83d\udc8d""#, "😹💍"),
        (r#""\"\\\/\n\r\t""#, "\"\\/\n\r\t"),
        (r#""\\u0000""#, "\\u0000"),
        (r#""\\a""#, "\\a"),
        (r#""a/*b*/c/*d//e""#, "a/*b*/c/*d//e"),
        (r#""\uFFFF\uFDD0\uFFFE""#, "\u{ffff}\u{fdd0}\u{fffe}"),
        (r#""\uDBFF\uDFFE""#, "\u{10fffe}"),
        ("\"\u{10ffff}\"", "\u{10ffff}"),
        (r#""new\u00A0line""#, "new\u{a0}line"),
        ("\"\u{2028}\u{2029}\"", "\u{2028}\u{2029}"),
        (r#""\u0022""#, "\""),
        (r#""""#, ""),
        ("\"π€𝄞\"", "π€𝄞"),
    ] {
        let body = format!("\n{{ \"d\\u0065scription\"\t:\r{string} , \"name\":\"CI\" }} \n");
        let created = create(&prokura, &token, body).await.expect(201).json();
        assert_eq!(created["serviceAccount"]["description"], read);
        let id = created["serviceAccount"]["id"].as_str().unwrap();
        let path = format!("/service-accounts/{id}");
        let got = prokura.api(Method::GET, &path, &token, None).await.json();
        assert_eq!(got, json!({ "serviceAccount": created["serviceAccount"] }));
    }
    create(
        &prokura,
        &token,
        r#"{"name":"CI","description":null,"scopes":null}"#,
    )
    .await
    .expect(201);
}

/// G14: members of the wrong type, and all that is wrong named in one answer.
#[tokio::test]
async fn a_value_of_the_wrong_type_is_named() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({ "description": "no name" }), "name"),
        (json!({ "name": null }), "name"),
        (json!({ "name": 1 }), "name"),
        (json!({ "name": true }), "name"),
        (json!({ "name": ["CI"] }), "name"),
        (json!({ "name": { "a": "CI" } }), "name"),
        (json!({ "name": "CI", "description": 1 }), "description"),
        (json!({ "name": "CI", "description": [] }), "description"),
        (
            json!({ "name": "CI", "scopes": "management:all" }),
            "scopes",
        ),
        (json!({ "name": "CI", "scopes": {} }), "scopes"),
        (json!({ "name": "CI", "scopes": [1] }), "scopes"),
        (json!({ "name": "CI", "scopes": [null] }), "scopes"),
        (
            json!({ "name": "CI", "scopes": ["management:all", ["a"]] }),
            "scopes",
        ),
        (json!({ "name": "CI", "scopes": [""] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["a b"] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["a\"b"] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["é"] }), "scopes"),
        (json!({ "name": "CI", "scopes": ["unheard-of"] }), "scopes"),
        (
            json!({ "name": "CI", "scopes": ["Management:All"] }),
            "scopes",
        ),
    ] {
        create(&prokura, &token, body.to_string())
            .await
            .expect_wrong_field(field);
    }
    let body = json!({ "name": "", "description": "\u{7}", "scopes": 1, "extra": 1 });
    let refused = create(&prokura, &token, body.to_string()).await;
    let refused = refused.expect_api_error(400, "invalid_request").json();
    let fields = refused["errors"].as_array().unwrap().iter();
    let fields = fields.map(|error| &error["field"]).collect::<Vec<_>>();
    assert_eq!(fields, ["name", "description", "scopes", "extra"]);
    assert_eq!(count(&prokura).await, 1);
}

/// G16.
#[tokio::test]
async fn a_body_says_that_it_is_json() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let body = r#"{"name":"CI"}"#;
    for content_type in [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/xml"),
        Some("application/merge-patch+json"),
        Some("application/jsonp"),
        Some("application/json-patch+json"),
        Some("application"),
        Some("application/*"),
        Some("json"),
        Some("text/plain, application/json"),
    ] {
        send(&prokura, &token, content_type, body)
            .await
            .expect_api_error(415, "unsupported_media_type");
    }
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "Application/JSON",
        "application/json ; charset=\"utf-8\"",
    ] {
        send(&prokura, &token, Some(content_type), body)
            .await
            .expect(201);
    }
    // Whatever is accepted, the answer is JSON.
    for accept in [
        "text/html",
        "application/xml",
        "*/*",
        "application/json;q=0",
        "",
    ] {
        for (method, path, status) in [
            (Method::GET, "/api/v1/service-accounts", 200),
            (Method::GET, "/api/v1/service-accounts/no-id", 400),
            (Method::GET, "/nothing", 404),
        ] {
            let request = prokura
                .request(method, path)
                .bearer_auth(&token)
                .header("accept", accept);
            prokura.send(request).await.expect(status).json();
        }
    }
    // Rotating needs no body; one that is there is JSON.
    let path = format!("/api/v1/service-accounts/{}/rotate-secret", prokura.root.id);
    let rotate = || prokura.request(Method::POST, &path).bearer_auth(&token);
    prokura
        .send(rotate().body("{}"))
        .await
        .expect_api_error(415, "unsupported_media_type");
    let labelled = rotate().header(CONTENT_TYPE, "application/json");
    prokura
        .send(labelled.body("{"))
        .await
        .expect_wrong_field("body");
    for content_type in [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
    ] {
        let empty = rotate().header(CONTENT_TYPE, content_type).body("");
        prokura.send(empty).await.expect(200);
    }
    let labelled = rotate().header(CONTENT_TYPE, "application/json");
    prokura.send(labelled.body(" {} ")).await.expect(200);
}

/// G13, G14, G16: a body is read up to 64 KiB and no further.
#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let limit = 64 * 1024;
    let body = r#"{"name":"CI"}"#;
    let padded = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    create(&prokura, &token, padded(limit)).await.expect(201);
    for length in [limit + 1, 2 * limit, 1 << 20] {
        let refused = create(&prokura, &token, padded(length)).await;
        let refused = refused.expect_api_error(413, "request_too_large");
        assert_eq!(refused.header("connection"), "close");
    }
    let deep = "[".repeat(100_000);
    create(&prokura, &token, deep)
        .await
        .expect_api_error(413, "request_too_large");
    let name = json!({ "name": "a".repeat(1 << 20) }).to_string();
    create(&prokura, &token, name)
        .await
        .expect_api_error(413, "request_too_large");
    // The longest of everything fits, however it is escaped.
    let escaped = |chars: usize| "\\ud83d\\ude00".repeat(chars);
    let body = format!(
        r#"{{"name":"{}","description":"{}"}}"#,
        escaped(255),
        escaped(1024)
    );
    let created = create(&prokura, &token, body).await.expect(201).json();
    let description: &Value = &created["serviceAccount"]["description"];
    assert_eq!(description, &"😀".repeat(1024));
}
