//! What counts as JSON (G12, G13).

use serde_json::json;

use super::{create, start_with_token};

/// G12. The server does not pick one of two values.
#[tokio::test]
async fn a_member_given_twice_is_refused() {
    let (prokura, token) = start_with_token().await;
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
    assert_eq!(prokura.count("service_accounts").await, 1);
}

/// G13. Texts that are not JSON by RFC 8259, like the `n_` files of JSONTestSuite. Each is sent as the whole body and as
/// the value of a member.
#[tokio::test]
async fn text_that_is_not_json_is_refused() {
    let (prokura, token) = start_with_token().await;
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
    assert_eq!(prokura.count("service_accounts").await, 1);
}

/// G13. JSON values that are not objects.
#[tokio::test]
async fn a_body_must_be_a_json_object() {
    let (prokura, token) = start_with_token().await;
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
    assert_eq!(prokura.count("service_accounts").await, 1);
}

/// G13. Texts that are JSON, like the `y_` files of JSONTestSuite. As the value of a member they have the wrong type,
/// but they are parsed. White space and escapes change nothing.
#[tokio::test]
async fn all_json_is_parsed() {
    let (prokura, token) = start_with_token().await;
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
        let got = prokura.try_get_account(&token, id).await.json();
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
