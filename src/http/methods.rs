//! Which methods a path has: an answer 405 must say so (RFC 9110, 15.5.6).

use std::collections::BTreeSet;

use actix_web::http::{Method, header::HeaderValue};
use utoipa::openapi::{OpenApi, PathItem};

/// Every path of the API document with its methods.
#[derive(Debug, Clone)]
pub(super) struct Methods(Vec<(String, Vec<Method>)>);

impl Methods {
    pub(super) fn of(document: &OpenApi) -> Self {
        Self(document.paths.paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect())
    }

    /// The value of `Allow` for a path that has refused a method. A route may be there only to refuse one.
    pub(super) fn allow(&self, path: &str, refused: &Method) -> HeaderValue {
        let known = self.0.iter().filter(|(pattern, _)| matches(pattern, path)).flat_map(|(_, methods)| methods);
        let allowed: BTreeSet<&str> = known.filter(|method| *method != refused).map(Method::as_str).collect();
        let allowed: Vec<&str> = allowed.into_iter().collect();
        // An empty list is a good one: the path has no methods (any more).
        HeaderValue::from_str(&allowed.join(", ")).unwrap_or(HeaderValue::from_static(""))
    }
}

fn methods(item: &PathItem) -> Vec<Method> {
    let all = [
        (item.get.is_some(), Method::GET),
        (item.post.is_some(), Method::POST),
        (item.put.is_some(), Method::PUT),
        (item.patch.is_some(), Method::PATCH),
        (item.delete.is_some(), Method::DELETE),
    ];
    all.into_iter().filter(|(there, _)| *there).map(|(_, method)| method).collect()
}

/// Whether a path is of a pattern such as `/api/proposals/{id}/`. More than one may fit: actix asks each in turn.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_methods_of_all_patterns_that_fit_are_allowed() {
        let methods = Methods(vec![
            ("/a/{id}/".to_owned(), vec![Method::PUT, Method::GET]),
            ("/a/new/".to_owned(), vec![Method::POST]),
            ("/a/{id}/b/".to_owned(), vec![Method::DELETE]),
        ]);
        let allow = |path, refused| methods.allow(path, &refused);
        assert_eq!(allow("/a/1/", Method::DELETE), "GET, PUT");
        assert_eq!(allow("/a/new/", Method::DELETE), "GET, POST, PUT");
        assert_eq!(allow("/a/1/", Method::PUT), "GET");
        assert_eq!(allow("/a//", Method::GET), "");
    }
}
