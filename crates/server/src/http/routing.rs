//! What a route is, and which one a request takes.

use std::sync::Arc;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method},
    response::Response,
};
use futures_util::future::BoxFuture;

use super::{exchange::RouteLabel, inline::Inline};
use crate::authority::Authority;

/// A path and the operations on it.
pub(super) struct Route {
    /// The path, with `{name}` for a segment that varies.
    pub(super) template: &'static str,
    /// How much of the template stands in front of the first `{name}`.
    pub(super) fixed_bytes: usize,
    pub(super) operations: &'static [Operation],
}

/// The length of a template up to its first `{name}`.
pub(super) const fn fixed_bytes(template: &str) -> usize {
    let bytes = template.as_bytes();
    let mut at = 0;
    while at < bytes.len() && bytes[at] != b'{' {
        at += 1;
    }
    at
}

/// An operation of the API document.
pub(super) struct Operation {
    /// Its `operationId`: the name of the handler.
    pub(super) id: &'static str,
    pub(super) method: Method,
    /// Calls the handler with what its extractors take from the request.
    pub(super) handler: fn(Request, Arc<Authority>) -> BoxFuture<'static, Response>,
    /// The same handler as a plain function, if the operation has this way.
    pub(super) inline: Option<Inline>,
}

/// Declares the operations: `"/path" { METHOD module::handler, … }`, with `inline Variant` behind a handler that is also
/// called as a plain function. Makes `OPERATIONS`, in which requests find their operation, and `Documented`, from which the
/// API document is derived.
macro_rules! operations {
    ($($template:literal {
        $($method:ident $module:ident::$handler:ident $(inline $inline:ident)?),+ $(,)?
    })+) => {
        static OPERATIONS: &[Route] = &[$(Route {
            template: $template,
            fixed_bytes: fixed_bytes($template),
            operations: &[$(Operation {
                id: stringify!($handler),
                method: Method::$method,
                handler: |request, authority| Handler::call($module::$handler, request, authority),
                inline: operations!(@inline $($inline)?),
            }),+],
        }),+];

        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($module::$handler),+),+))]
        struct Documented;
    };
    (@inline) => { None };
    (@inline $inline:ident) => { Some(Inline::$inline) };
}
pub(super) use operations;

/// Everything that a server serves.
pub(super) struct Routes {
    pub(super) operations: &'static [Route],
    /// The documents: paths that accept GET alone and are not operations of the API document.
    pub(super) documents: Vec<(&'static str, Respond)>,
    /// The path of an issuer that has one, and the paths of the documents that are also served with it at their end: RFC 8414
    /// §3.1 puts the well-known segment between host and path.
    pub(super) below_issuer: Option<(String, &'static [&'static str])>,
}

/// Responds to a GET with these headers.
pub(super) type Respond =
    Box<dyn for<'a> Fn(&'a HeaderMap) -> BoxFuture<'a, Response> + Send + Sync>;

/// Where a request goes.
pub(super) enum Endpoint<'r> {
    Operation(&'static Operation),
    Document(&'r Respond),
    /// The path is there, but not for this method.
    MethodNotAllowed(Allow),
    NotFound,
}

/// The methods that a path accepts, as the `Allow` header lists them.
pub(super) struct Allow(String);

impl Routes {
    /// The endpoint of a request, and the label of its path.
    pub(super) fn find(&self, method: &Method, path: &str) -> (Option<RouteLabel>, Endpoint<'_>) {
        if let Some(route) = self.operations.iter().find(|route| route.is_at(path)) {
            let operation = route.operations.iter().find(|found| found.takes(method));
            let label = RouteLabel {
                template: route.template,
                operation: operation.map(|found| found.id),
            };
            let endpoint = match operation {
                Some(operation) => Endpoint::Operation(operation),
                None => Endpoint::MethodNotAllowed(route.allow()),
            };
            return (Some(label), endpoint);
        }
        let Some((template, document)) = self.document(path) else {
            return (None, Endpoint::NotFound);
        };
        let label = RouteLabel {
            template,
            operation: None,
        };
        let endpoint = if is_accepted(&Method::GET, method) {
            Endpoint::Document(document)
        } else {
            Endpoint::MethodNotAllowed(Allow::of(&[Method::GET]))
        };
        (Some(label), endpoint)
    }

    fn document(&self, path: &str) -> Option<(&'static str, &Respond)> {
        let at = |path: &str| self.documents.iter().find(|(known, _)| *known == path);
        let found = at(path).or_else(|| {
            let (issuer_path, documents) = self.below_issuer.as_ref()?;
            let path = path.strip_suffix(&**issuer_path)?;
            documents.contains(&path).then(|| at(path)).flatten()
        });
        found.map(|(template, document)| (*template, document))
    }
}

impl Route {
    /// Whether `path` is this route's. A `{name}` stands for one segment, which may be empty except at the end of the path, so
    /// that `/service-accounts/` is no account. Nothing is decoded.
    fn is_at(&self, path: &str) -> bool {
        // Most routes differ in front of the first `{name}`.
        let (fixed, mut template) = self.template.as_bytes().split_at(self.fixed_bytes);
        let Some(mut path) = path.as_bytes().strip_prefix(fixed) else {
            return false;
        };
        while let Some((&expected, rest)) = template.split_first() {
            if expected == b'{' {
                if path.is_empty() {
                    return false;
                }
                template = behind(template, b'}');
                path = from(path, b'/');
            } else if path.first() == Some(&expected) {
                (template, path) = (rest, &path[1..]);
            } else {
                return false;
            }
        }
        path.is_empty()
    }

    fn allow(&self) -> Allow {
        let methods = self.operations.iter().map(|operation| &operation.method);
        Allow::of(methods)
    }
}

/// The bytes from the first `end` on; none if there is no `end`.
fn from(bytes: &[u8], end: u8) -> &[u8] {
    let at = bytes.iter().position(|byte| *byte == end);
    &bytes[at.unwrap_or(bytes.len())..]
}

/// The bytes behind the first `end`; none if there is no `end`.
fn behind(bytes: &[u8], end: u8) -> &[u8] {
    from(bytes, end).get(1..).unwrap_or_default()
}

impl Operation {
    fn takes(&self, method: &Method) -> bool {
        is_accepted(&self.method, method)
    }
}

/// Whether what is served for `served` answers `asked`. HEAD is GET without a body (RFC 9110 §9.3.2).
fn is_accepted(served: &Method, asked: &Method) -> bool {
    served == asked || (*served == Method::GET && *asked == Method::HEAD)
}

impl Allow {
    fn of<'m>(methods: impl IntoIterator<Item = &'m Method>) -> Self {
        let methods = methods.into_iter().map(|method| match *method {
            Method::GET => "GET,HEAD",
            _ => method.as_str(),
        });
        Self(methods.collect::<Vec<_>>().join(","))
    }

    /// The value of the header.
    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::try_from(&*self.0).expect("methods fit a header")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_at_every_path_of_its_form() {
        let is_at = |template, path| {
            let operations = &[];
            let route = Route {
                template,
                fixed_bytes: fixed_bytes(template),
                operations,
            };
            route.is_at(path)
        };
        assert!(is_at("/a/{id}", "/a/b"));
        assert!(is_at("/a/{id}/c/{other}", "/a/b/c/d"));
        assert!(is_at("/a/{id}/c", "/a//c"));
        for path in ["/a", "/a/", "/a/b/", "/a/b/c", "/b/a", "/a%2Fb", "a/b", ""] {
            assert!(!is_at("/a/{id}", path), "{path}");
        }
        for path in ["/a/b", "/a/b/", "/a/b/d", "/a/b/c/", "/a/b/b/c"] {
            assert!(!is_at("/a/{id}/c", path), "{path}");
        }
    }
}
