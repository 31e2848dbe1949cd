//! Server-sent events: section 9.2 of the HTML standard.

use super::{
    Happening, Happenings,
    vigil::{Next, Vigil},
};
use actix_web::{
    HttpResponse,
    http::header::{self, ContentEncoding},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::convert::Infallible;

pub(crate) const MEDIA_TYPE: &str = "text/event-stream";

/// After so many milliseconds a browser comes back that was cut off.
const HELLO: &[u8] = b"retry: 2000\n\n";
/// So that neither side takes silence for an end.
const STILL_HERE: &[u8] = b": still here\n\n";

/// The answer that goes on until the client leaves or the vigil ends it.
pub(super) fn answer(happenings: Happenings, vigil: Vigil) -> HttpResponse {
    let pieces = stream::unfold((happenings, vigil), |(mut happenings, mut vigil)| async move {
        let piece = match vigil.next(&mut happenings).await {
            Next::Tell(happening) => written(&happening),
            Next::LookAgain => {
                vigil.look_again().await.ok()?;
                Bytes::from_static(STILL_HERE)
            }
            Next::End(_) => return None,
        };
        Some((piece, (happenings, vigil)))
    });
    let pieces = stream::once(async { Bytes::from_static(HELLO) }).chain(pieces).map(Ok::<_, Infallible>);
    HttpResponse::Ok()
        .content_type(MEDIA_TYPE)
        // Compression would hold events back, and so would proxies that buffer.
        .insert_header((header::CONTENT_ENCODING, ContentEncoding::Identity))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(pieces)
}

fn written(Happening { position, name, data }: &Happening) -> Bytes {
    Bytes::from(format!("id: {position}\nevent: {name}\ndata: {data}\n\n"))
}
