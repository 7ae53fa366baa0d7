//! What does a web client get that asks for the metrics?
//!
//! One request a connection, `GET /metrics` or `HEAD /metrics`, then the connection is closed: enough for
//! whoever collects metrics, and nothing that could wait.

/// A request whose head is longer than this is refused.
pub const HEAD_BYTES_MAX: usize = 8 * 1024;

/// What is known of a request after some of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpRequest {
    /// Its head has not ended.
    Partial,
    /// It asks for the metrics.
    Metrics {
        /// Whether it asks for the head of the answer alone.
        head_only: bool,
    },
    /// It is something else.
    Refused(Refusal),
}

/// Why a request is not answered with metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no request of HTTP/1.
    BadRequest,
    /// There is only `/metrics`.
    NotFound,
    /// There is only `GET` and `HEAD`.
    MethodNotAllowed,
    /// Its head is too long.
    HeadTooLong,
    /// The engine does not answer.
    Unavailable,
}

impl HttpRequest {
    /// Reads everything that was received so far. Takes time linear in it, and it is no more than
    /// [`HEAD_BYTES_MAX`] for as long as the answer is `Partial`.
    #[must_use]
    pub fn parse(received: &[u8]) -> Self {
        let bounded = &received[..received.len().min(HEAD_BYTES_MAX)];
        let is_ended = find(bounded, b"\r\n\r\n") || find(bounded, b"\n\n");
        if !is_ended {
            let is_full = received.len() >= HEAD_BYTES_MAX;
            return if is_full { Self::Refused(Refusal::HeadTooLong) } else { Self::Partial };
        }
        let line = bounded.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        let [method, target, version] = words[..] else {
            return Self::Refused(Refusal::BadRequest);
        };
        if !matches!(version, b"HTTP/1.1" | b"HTTP/1.0") || !target.starts_with(b"/") {
            return Self::Refused(Refusal::BadRequest);
        }
        let path = target.split(|&byte| byte == b'?').next().unwrap_or_default();
        match (path, method) {
            (b"/metrics", b"GET") => Self::Metrics { head_only: false },
            (b"/metrics", b"HEAD") => Self::Metrics { head_only: true },
            (b"/metrics", _) => Self::Refused(Refusal::MethodNotAllowed),
            _ => Self::Refused(Refusal::NotFound),
        }
    }

    /// The bytes to answer, after which the connection is to be closed; `None` while more bytes are
    /// needed. The metrics are collected if they are asked for.
    #[must_use]
    pub fn response(self, metrics: impl FnOnce() -> String) -> Option<Vec<u8>> {
        let (status, more, body, head_only) = match self {
            Self::Partial => return None,
            Self::Metrics { head_only } => ("200 OK", "", metrics(), head_only),
            Self::Refused(refusal) => {
                let (status, more, body) = refusal.parts();
                (status, more, body.to_owned(), false)
            }
        };
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
             Content-Length: {length}\r\nConnection: close\r\n{more}\r\n"
        );
        let body = if head_only { String::new() } else { body };
        Some([head, body].concat().into_bytes())
    }
}

impl Refusal {
    /// The status, more lines of the head, and the text.
    fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::BadRequest => ("400 Bad Request", "", "this is no request of HTTP/1\n"),
            Self::NotFound => ("404 Not Found", "", "the metrics are at /metrics\n"),
            Self::MethodNotAllowed => (
                "405 Method Not Allowed",
                "Allow: GET, HEAD\r\n",
                "the metrics can be read alone\n",
            ),
            Self::HeadTooLong => {
                ("431 Request Header Fields Too Large", "", "the head of the request is too long\n")
            }
            Self::Unavailable => ("503 Service Unavailable", "", "the engine does not answer\n"),
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &str) -> String {
        let response = HttpRequest::parse(request.as_bytes()).response(|| "a 1\n".to_owned());
        String::from_utf8(response.expect("the request is whole")).unwrap()
    }

    #[test]
    fn the_metrics_are_answered_once_the_head_has_ended() {
        let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n";
        for end in 0..request.len() {
            assert_eq!(HttpRequest::parse(&request.as_bytes()[..end]), HttpRequest::Partial);
        }
        let response = answer(request);
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "a 1\n");
        assert!(
            head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Content-Length: 4\r\n"),
            "{head}"
        );
        assert!(answer("HEAD /metrics HTTP/1.0\n\n").ends_with("\r\n\r\n"));
        assert!(answer("GET /metrics?x=1 HTTP/1.1\r\n\r\n").ends_with("a 1\n"));
    }

    #[test]
    fn everything_else_is_refused() {
        for (request, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "404"),
            ("GET /metricsx HTTP/1.1\r\n\r\n", "404"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
            ("GET /metrics\r\n\r\n", "400"),
            ("GET /metrics HTTP/2.0\r\n\r\n", "400"),
            ("PING\r\n\r\n", "400"),
            (&format!("GET /metrics HTTP/1.1\r\nx: {}", "y".repeat(HEAD_BYTES_MAX)), "431"),
        ] {
            assert!(answer(request).starts_with(&format!("HTTP/1.1 {status} ")), "{request}");
        }
        assert!(answer("POST /metrics HTTP/1.1\r\n\r\n").contains("\r\nAllow: GET, HEAD\r\n"));
    }
}
