//! A response, and what tests assert of it.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::Credentials;

/// A response.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON. The media type must be JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A header, which must not occur twice. Empty if it is missing.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there twice: {self:?}");
        value
    }

    /// The credentials in a response to creating or rotating an account, or to adding a secret.
    #[track_caller]
    pub fn credentials(&self) -> Credentials {
        Credentials::in_response(&self.json())
    }

    /// The items of a list. The request must have succeeded.
    #[track_caller]
    pub fn items(self) -> Vec<Value> {
        let body = self.expect(200).json();
        body["items"].as_array().unwrap().clone()
    }

    /// Asserts the status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        self
    }

    /// Asserts an OAuth error: the status, the code, and what every OAuth error promises (E2, E4, E5).
    #[track_caller]
    pub fn expect_oauth_error(self, status: u16, error: &str) -> Self {
        let reply = self.expect(status);
        let body = reply.json();
        assert_eq!(body["error"], error, "{body}");
        assert_eq!(reply.header("cache-control"), "no-store");
        for member in ["error", "error_description"] {
            let text = body[member].as_str().unwrap();
            let allowed = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(text.bytes().all(allowed), "{text:?}");
        }
        if error == "invalid_client" {
            assert!(reply.header("www-authenticate").starts_with("Basic realm="));
        }
        reply
    }

    /// Asserts an error of the management API: the status, the code, and what every such error promises (G23).
    #[track_caller]
    pub fn expect_api_error(self, status: u16, code: &str) -> Self {
        let reply = self.expect(status);
        let body = reply.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(body["statusCode"], status);
        assert_eq!(body["requestId"], reply.header("x-request-id"));
        assert!(!body["message"].as_str().unwrap().is_empty());
        assert_eq!(reply.header("cache-control"), "no-store");
        reply
    }

    /// Asserts that the response is an OAuth error: its status and its code.
    #[track_caller]
    pub fn any_oauth_error(&self) -> (u16, String) {
        let code = self.json()["error"].as_str().unwrap().to_owned();
        assert!(self.status >= 400, "{self:?}");
        self.clone().expect_oauth_error(self.status, &code);
        (self.status, code)
    }

    /// The whole response without the date and the request ID, which may differ between two equal requests.
    pub fn fingerprint(&self) -> String {
        let mut headers = self.headers.clone();
        headers.remove("date");
        headers.remove("x-request-id");
        format!("{} {headers:?} {:?}", self.status, self.body)
    }

    /// Whether `text` occurs in a header or in the body.
    pub fn mentions(&self, text: &str) -> bool {
        format!("{:?}", self.headers).contains(text)
            || String::from_utf8_lossy(&self.body).contains(text)
    }

    /// The whole response without the date, to compare responses that must not be told apart. Both requests must have
    /// the same `X-Request-Id`.
    pub fn essence(&self) -> (u16, Vec<(String, String)>, String) {
        let mut headers = self
            .headers
            .iter()
            .filter(|(name, _)| *name != "date")
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect::<Vec<_>>();
        headers.sort();
        let body = String::from_utf8(self.body.to_vec()).unwrap();
        (self.status, headers, body)
    }

    /// Asserts a 400 that names this field and no other.
    #[track_caller]
    pub fn expect_wrong_field(self, field: &str) -> Self {
        let reply = self.expect_api_error(400, "invalid_request");
        let body = reply.json();
        let fields = body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| error["field"].as_str().unwrap())
            .collect::<Vec<_>>();
        assert_eq!(fields, [field], "{body}");
        reply
    }
}

/// Everything that came back on one connection.
#[derive(Clone, Debug)]
pub struct Answer(pub String);

impl Answer {
    /// The status of every response, without interim responses.
    pub fn statuses(&self) -> Vec<u16> {
        self.0
            .split("HTTP/1.1 ")
            .skip(1)
            .map(|answer| answer[..3].parse().unwrap())
            .filter(|status| *status >= 200)
            .collect()
    }

    /// The status of the only response.
    #[track_caller]
    pub fn status(&self) -> u16 {
        let statuses = self.statuses();
        assert_eq!(statuses.len(), 1, "{self:?}");
        statuses[0]
    }

    /// A header of the last response. Empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.head()
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    /// The body of the last response.
    pub fn body(&self) -> &str {
        self.last()
            .split_once("\r\n\r\n")
            .map_or("", |parts| parts.1)
    }

    fn head(&self) -> &str {
        self.last().split("\r\n\r\n").next().unwrap_or_default()
    }

    fn last(&self) -> &str {
        let at = self.0.rfind("HTTP/1.1 ").unwrap_or(0);
        &self.0[at..]
    }
}

/// G2. Asserts that no response but those of creating, rotating and adding a secret contains a secret.
#[track_caller]
pub(super) fn assert_keeps_secrets(path: &str, reply: &Reply) {
    let may_show = match reply.status {
        201 => path.ends_with("/service-accounts") || path.ends_with("/secrets"),
        200 => path.ends_with("/rotate-secret"),
        _ => false,
    };
    let text = format!(
        "{:?} {}",
        reply.headers,
        String::from_utf8_lossy(&reply.body)
    );
    let shows = text.match_indices("prk_").any(|(at, _)| {
        let rest = text[at + 4..].bytes();
        rest.take_while(u8::is_ascii_alphanumeric).count() >= 49
    });
    assert!(may_show || !shows, "{path} shows a secret");
}
