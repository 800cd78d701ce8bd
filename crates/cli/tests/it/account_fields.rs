//! A field of a service account is everywhere: what `openapi.json` describes, both SDKs can set and show.
//!
//! That the command line has a flag for each setting is tested beside its flags.

use std::{fs, path::Path};

use serde_json::Value;

/// The members of a schema of `openapi.json`, and whether each may be null.
fn members(schema: &str) -> Vec<(String, bool)> {
    let document = serde_json::from_str::<Value>(&source("openapi.json")).unwrap();
    let schema = &document["components"]["schemas"][schema];
    let members = schema["properties"].as_object().unwrap().iter();
    let members = members.map(|(name, member)| {
        let is_nullable = member["type"].to_string().contains("null");
        (name.clone(), is_nullable)
    });
    members.collect()
}

fn source(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[test]
fn the_rust_sdk_sets_and_clears_every_setting() {
    let code = source("crates/client/src/service_accounts.rs");
    for (name, is_nullable) in members("UpdateServiceAccount") {
        // Labels are set one by one.
        let method = match &*name {
            "labels" => "label".to_owned(),
            name => snake_case(name),
        };
        assert!(code.contains(&format!("pub fn {method}(")), "{name}");
        let clear = format!("pub fn clear_{}(", snake_case(&name));
        assert_eq!(code.contains(&clear), is_nullable, "{clear}");
    }
}

#[test]
fn the_typescript_sdk_has_every_field() {
    let code = source("sdk/typescript/src/service-accounts.ts");
    for (schema, interface) in [
        ("CreateServiceAccount", "CreateServiceAccountRequest"),
        ("UpdateServiceAccount", "UpdateServiceAccountRequest"),
        ("ServiceAccount", "ServiceAccount"),
    ] {
        let begin = format!("export interface {interface} {{");
        let declared = code.split(&begin).nth(1).unwrap();
        let declared = declared.split("\n}").next().unwrap();
        for (name, _) in members(schema) {
            let is_declared = declared.lines().any(|line| {
                let member = line.trim().split(':').next().unwrap_or_default();
                member.trim_end_matches('?') == name
            });
            assert!(is_declared, "{interface} has no {name}");
        }
    }
}
