//! The parts of a mail as they travel.

use lettre::message::{
    Body, MultiPart, SinglePart,
    header::{ContentTransferEncoding, ContentType},
};

use super::template::Words;

/// The most bytes that a line may have, without its CRLF (RFC 5322, 2.1.1).
const LINE_LONGEST: usize = 998;

/// A mail's words, as text and as HTML.
pub(super) fn both(words: Words) -> MultiPart {
    let part = |kind, text| SinglePart::builder().header(kind).body(body(text));
    MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, words.text))
        .singlepart(part(ContentType::TEXT_HTML, words.html))
}

/// Plain ASCII goes as it is (7bit): lettre would break every line beyond 76 bytes by quoted-printable, and a link
/// must stand whole on its line also for those who read a mail's source, as one does in an outbox's file.
fn body(text: String) -> Body {
    let plain = |line: &str| line.len() <= LINE_LONGEST && line.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'));
    if !text.lines().all(plain) {
        // Not lettre's own choice, which would let a control character through.
        return Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable).unwrap_or_else(Body::new);
    }
    let lines: String = text.lines().flat_map(|line| [line, "\r\n"]).collect();
    Body::dangerous_pre_encoded(lines.into_bytes(), ContentTransferEncoding::SevenBit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_plain_text_stays_whole_up_to_what_mail_permits() {
        let long = "x".repeat(LINE_LONGEST);
        let whole = body(format!("a\n{long}\nb\n"));
        assert_eq!(whole.encoding(), ContentTransferEncoding::SevenBit);
        assert_eq!(whole.as_ref(), format!("a\r\n{long}\r\nb\r\n").as_bytes());
    }

    #[test]
    fn what_mail_does_not_permit_in_the_plain_is_encoded() {
        for text in [format!("{}\n", "x".repeat(LINE_LONGEST + 1)), "Zoë\n".to_owned(), "a\0b\n".to_owned()] {
            let encoded = body(text.clone());
            assert_ne!(encoded.encoding(), ContentTransferEncoding::SevenBit, "{text:?}");
            let mut lines = encoded.as_ref().split(|byte| *byte == b'\n');
            assert!(encoded.as_ref().is_ascii() && lines.all(|line| line.len() <= LINE_LONGEST + 1), "{text:?}");
        }
    }
}
