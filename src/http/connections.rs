//! How many connections a node holds, and how long one may be silent.
//!
//! actix bounds how long the first request's head may take and how long a connection may lie idle. It bounds neither a
//! later head, nor a chunked body that nobody reads any more, nor an answer that its asker does not take: each connection
//! has a watcher for these.

use std::{
    any::Any,
    cell::Cell,
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
    thread::available_parallelism,
    time::{Duration, Instant},
};

use actix_web::{
    Error,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Extensions, ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Bytes,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::net::TcpSocket;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 2048;
/// Open files that are no client's connection: the database's, the broker's, logs.
const OTHER_FILES: u64 = 128;
/// What actix would hold in a worker at the most.
const MOST: u64 = 25_000;

/// A connection whose request is not being worked on must have had something to say within this.
const SILENT: Duration = Duration::from_secs(20);
/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// Listens, with room for many that come at once.
///
/// # Errors
/// When the address is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Lets this process open as many files as the system permits: every connection is one, and shells permit 1,024.
pub fn raise_open_files() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
        && let Err(error) = setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
    {
        tracing::warn!(%error, soft, hard, "the limit of open files cannot be raised");
    }
}

/// How many connections each worker may hold, so that files are left for the database however many come. The others
/// wait to be accepted. A connection is two files: its own and its watcher's.
pub(super) fn per_worker() -> usize {
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(1024, |(soft, _)| soft);
    let workers = available_parallelism().map_or(1, |count| u64::try_from(count.get()).unwrap_or(1));
    let each = files.saturating_sub(OTHER_FILES) / 2 / workers;
    usize::try_from(each.clamp(8, MOST)).unwrap_or(usize::MAX)
}

/// A client's connection, as its watcher sees it.
pub(super) struct Connection {
    socket: TcpStream,
    /// Requests that are being worked on.
    working: Cell<usize>,
    /// When something was answered, or the connection was made.
    heard: Cell<Instant>,
}

impl Connection {
    fn is_silent(&self) -> bool {
        self.working.get() == 0 && self.heard.get().elapsed() > SILENT
    }
}

/// Has a new connection watched.
pub(super) fn watch(stream: &dyn Any, data: &mut Extensions) {
    let Some(stream) = stream.downcast_ref::<tokio::net::TcpStream>() else { return };
    // Without a file for it the connection goes unwatched.
    let Ok(file) = stream.as_fd().try_clone_to_owned() else { return };
    let connection = Connection { socket: file.into(), working: Cell::new(0), heard: Cell::new(Instant::now()) };
    let connection = Rc::new(connection);
    actix_web::rt::spawn(close_when_silent(Rc::downgrade(&connection)));
    data.insert(connection);
}

async fn close_when_silent(connection: Weak<Connection>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(connection) = connection.upgrade() else { return };
        if connection.is_silent() {
            metrics::counter!("ddc_http_silent_connections_closed_total").increment(1);
            // Then it is closed as if the client had done so.
            let _ = connection.socket.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// A request that is being worked on.
struct Working(Rc<Connection>);

impl Working {
    fn on(connection: &Rc<Connection>) -> Self {
        connection.working.set(connection.working.get() + 1);
        Self(Rc::clone(connection))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.working.set(self.0.working.get().saturating_sub(1));
        self.0.heard.set(Instant::now());
    }
}

/// An answer on its way: whoever takes it in is not silent.
struct Heard {
    body: BoxBody,
    connection: Rc<Connection>,
}

impl MessageBody for Heard {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.connection.heard.set(Instant::now());
        Pin::new(&mut self.body).poll_next(context)
    }
}

/// Notes which connections are worked for.
///
/// # Errors
/// Those of the service within.
pub(super) async fn middleware(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(connection) = request.conn_data::<Rc<Connection>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let working = Working::on(&connection);
    let response = next.call(request).await?;
    drop(working);
    Ok(response.map_body(|_, body| BoxBody::new(Heard { body: BoxBody::new(body), connection })))
}
