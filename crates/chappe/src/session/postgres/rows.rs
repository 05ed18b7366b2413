//! The statements: each is atomic by itself, so that nothing is left half done by whoever dies.

use std::{
    cell::RefCell,
    fmt,
    rc::Rc,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{task::JoinHandle, time::Instant};
use tokio_postgres::{
    Client, Error, Row,
    types::{IsNull, ToSql, Type, to_sql_checked},
};
use zeroize::Zeroizing;

use super::Listed;
use crate::{
    error::SessionProblem,
    session::{Holder, Lease, Moment, SessionBytes, lock::shown},
};

/// A connection to the database, and the leases that this program has.
pub(super) struct Database {
    pub(super) client: Client,
    pub(super) connection: JoinHandle<()>,
    /// Quoted.
    pub(super) schema: String,
    pub(super) length: Duration,
    pub(super) held: Rc<RefCell<Vec<Held>>>,
}

/// A lease that is to be renewed.
pub(super) struct Held {
    fence: i64,
    lease: Lease,
    /// Gone when nobody uses it.
    user: Weak<()>,
    /// When it is renewed next.
    pub(super) due: Instant,
}

/// Tables of this version, which is not ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unusable(pub(super) i32);

/// Whoever wants an account.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Random, so that a statement whose answer was lost can be sent again.
    id: Vec<u8>,
    program: Option<String>,
    pid: Option<i64>,
    host: Option<String>,
}

/// An account that was taken.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) name: String,
    pub(super) fence: i64,
    pub(super) lease: Lease,
    _user: Arc<()>,
}

/// Who has an account, and how much longer.
#[derive(Debug)]
pub(super) struct InUse {
    pub(super) holder: Holder,
    pub(super) left: Duration,
}

/// A session as it is kept, and what may be known of it.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) bytes: Option<SessionBytes>,
    pub(super) sealed: bool,
    pub(super) signed_in: bool,
    pub(super) user_id: Option<i64>,
    pub(super) bot: bool,
    pub(super) dc_id: Option<i32>,
}

impl Candidate {
    pub(super) fn new(id: [u8; 16], Holder { host, pid, program, .. }: Holder) -> Self {
        Self { id: id.to_vec(), program, pid: pid.map(i64::from), host }
    }

    fn parameters<'a>(&'a self, seconds: &'a f64) -> Vec<Parameter<'a>> {
        vec![
            (&self.id, Type::BYTEA),
            (&self.program, Type::TEXT),
            (&self.pid, Type::INT8),
            (&self.host, Type::TEXT),
            (seconds, Type::FLOAT8),
        ]
    }
}

/// Bytes that no log of the library below shows.
struct Secret<'a>(&'a [u8]);

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl ToSql for Secret<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <&[u8] as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

impl Held {
    /// Its number, if nobody uses it.
    pub(super) fn orphan(&self) -> Option<i64> {
        (self.user.strong_count() == 0).then_some(self.fence)
    }

    pub(super) fn is_over(&self) -> bool {
        self.lease.is_over()
    }
}

impl Database {
    /// Takes the account, unless somebody else has it.
    pub(super) async fn take(
        &self,
        name: &str,
        by: &Candidate,
    ) -> Result<Result<Granted, InUse>, Error> {
        loop {
            let asked = (Moment::now(), Instant::now());
            let length = self.length.as_secs_f64();
            let mut parameters = by.parameters(&length);
            parameters.push((&name, Type::TEXT));
            if let Some(row) = self.optional(TAKE, &parameters).await? {
                return Ok(Ok(self.granted(name.to_owned(), row.try_get(0)?, asked)));
            }
            if let Some(found) = self.who_has(name).await? {
                return Ok(Err(found));
            }
            // It was let go, or removed, in between.
        }
    }

    /// Takes the account that nobody had for longest, among those with somebody signed in.
    pub(super) async fn take_any(&self, by: &Candidate) -> Result<Option<Granted>, Error> {
        let asked = (Moment::now(), Instant::now());
        let length = self.length.as_secs_f64();
        let row = self.optional(TAKE_ANY, &by.parameters(&length)).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(self.granted(row.try_get(0)?, row.try_get(1)?, asked)))
    }

    /// Renews all leases, and ends those that somebody took or removed.
    pub(super) async fn renew(&self) -> Result<(), Error> {
        let fences: Vec<i64> = self.held.borrow().iter().map(|held| held.fence).collect();
        let (asked, now) = (Moment::now(), Instant::now());
        let length = self.length.as_secs_f64();
        let parameters: [Parameter<'_>; 2] = [(&fences, Type::INT8_ARRAY), (&length, Type::FLOAT8)];
        let renewed = fences_of(&self.all(RENEW, &parameters).await?)?;
        self.held.borrow_mut().retain_mut(|held| {
            if !renewed.contains(&held.fence) {
                return true;
            }
            held.due = now + self.length / SHARE;
            let goes_on = held.lease.renewed(asked, self.length);
            if !goes_on {
                tracing::error!(fence = held.fence, "a lease was renewed too late");
            }
            goes_on
        });
        if renewed.len() == fences.len() {
            return Ok(());
        }
        // A row that somebody else has locked just now is still ours.
        let ours = fences_of(&self.all(STILL_OURS, &[(&fences, Type::INT8_ARRAY)]).await?)?;
        self.held.borrow_mut().retain_mut(|held| {
            if renewed.contains(&held.fence) {
                return true;
            }
            held.due = now + self.length / AGAIN;
            let is_ours = ours.contains(&held.fence) || !fences.contains(&held.fence);
            if !is_ours {
                tracing::error!(fence = held.fence, "a lease was taken away");
                held.lease.lose();
            }
            is_ours
        });
        Ok(())
    }

    /// Lets an account go. One that has no session is forgotten.
    pub(super) async fn release(&self, fence: i64) -> Result<(), Error> {
        self.held.borrow_mut().retain(|held| held.fence != fence);
        self.optional(RELEASE, &[(&fence, Type::INT8)]).await?;
        Ok(())
    }

    pub(super) async fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let row = self.optional(LOAD, &[(&name, Type::TEXT)]).await?;
        let bytes = row.map(|row| row.try_get::<_, Option<Vec<u8>>>(0)).transpose()?;
        Ok(bytes.flatten().map(Zeroizing::new))
    }

    /// Whether an encrypted session is kept.
    pub(super) async fn is_sealed(&self, name: &str) -> Result<bool, Error> {
        let row = self.optional(IS_SEALED, &[(&name, Type::TEXT)]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?.unwrap_or(false))
    }

    /// Saves for whoever has the account by this fence. Returns whether that is so. Saves are
    /// numbered, so that one which comes late, over a connection that was given up, replaces none
    /// that was made after it; the same one may come twice.
    pub(super) async fn save(&self, fence: i64, number: i64, entry: &Entry) -> Result<bool, Error> {
        let session = entry.session();
        let mut parameters = entry.parameters(&session);
        parameters.push((&fence, Type::INT8));
        parameters.push((&number, Type::INT8));
        Ok(self.optional(SAVE, &parameters).await?.is_some())
    }

    /// Saves for somebody who does not have the account, if nobody has it.
    pub(super) async fn save_free(
        &self,
        name: &str,
        entry: &Entry,
    ) -> Result<Result<(), InUse>, Error> {
        let session = entry.session();
        let mut parameters = entry.parameters(&session);
        parameters.push((&name, Type::TEXT));
        loop {
            if self.optional(SAVE_FREE, &parameters).await?.is_some() {
                return Ok(Ok(()));
            }
            if let Some(found) = self.who_has(name).await? {
                return Ok(Err(found));
            }
        }
    }

    /// Removes an account, if nobody has it. Returns whether there was one.
    pub(super) async fn remove(&self, name: &str) -> Result<Result<bool, InUse>, Error> {
        if self.optional(REMOVE, &[(&name, Type::TEXT)]).await?.is_some() {
            return Ok(Ok(true));
        }
        Ok(self.who_has(name).await?.map_or(Ok(false), Err))
    }

    pub(super) async fn list(&self) -> Result<Vec<Listed>, Error> {
        let rows = self.all(LIST, &[]).await?;
        let listed = rows.iter().map(|row| {
            let InUse { holder, left } = in_use(row)?;
            let is_free = left.is_zero();
            Ok(Listed {
                name: row.try_get("name")?,
                signed_in: row.try_get("signed_in")?,
                sealed: row.try_get("sealed")?,
                user_id: row.try_get("user_id")?,
                bot: row.try_get("bot")?,
                dc_id: row.try_get("dc_id")?,
                holder: (!is_free).then_some(holder),
                lease_left: (!is_free).then_some(left),
            })
        });
        listed.collect()
    }

    /// Who has the account now, if anybody.
    async fn who_has(&self, name: &str) -> Result<Option<InUse>, Error> {
        let row = self.optional(WHO_HAS, &[(&name, Type::TEXT)]).await?;
        let found = row.map(|row| in_use(&row)).transpose()?;
        Ok(found.filter(|found| !found.left.is_zero()))
    }

    fn granted(&self, name: String, fence: i64, asked: (Moment, Instant)) -> Granted {
        let (moment, now) = asked;
        let (lease, user) = (Lease::granted(moment, self.length), Arc::new(()));
        self.held.borrow_mut().push(Held {
            fence,
            lease: lease.clone(),
            user: Arc::downgrade(&user),
            due: now + self.length / SHARE,
        });
        tracing::debug!(fence, "an account was taken");
        Granted { name, fence, lease, _user: user }
    }

    async fn all(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Error> {
        self.client.query_typed(&sql.replace("{s}", &self.schema), parameters).await
    }

    async fn optional(
        &self,
        sql: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Option<Row>, Error> {
        Ok(self.all(sql, parameters).await?.pop())
    }
}

impl Entry {
    fn session(&self) -> Option<Secret<'_>> {
        self.bytes.as_ref().map(|bytes| Secret(bytes.as_ref()))
    }

    fn parameters<'a>(&'a self, session: &'a Option<Secret<'a>>) -> Vec<Parameter<'a>> {
        vec![
            (session, Type::BYTEA),
            (&self.sealed, Type::BOOL),
            (&self.signed_in, Type::BOOL),
            (&self.user_id, Type::INT8),
            (&self.bot, Type::BOOL),
            (&self.dc_id, Type::INT4),
        ]
    }
}

/// Makes the tables, unless they are there. Many programs may do so at once.
pub(super) async fn lay_out(
    client: &mut Client,
    schema: &str,
) -> Result<Result<(), Unusable>, Error> {
    if let Some(version) = version(client, schema).await? {
        return Ok(check(version));
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute(ALONE).await?;
    // Somebody else may have been quicker.
    if let Some(version) = version(transaction.client(), schema).await? {
        return Ok(check(version));
    }
    let is_there = transaction.query_typed(IS_SCHEMA, &[(&bare(schema), Type::TEXT)]).await?;
    // Whoever may make tables need not be allowed to make schemas.
    if is_there.is_empty() {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    }
    transaction.batch_execute(&SCHEMA.replace("{s}", schema)).await?;
    transaction.commit().await?;
    tracing::info!("the tables were made");
    Ok(Ok(()))
}

/// The version of the tables, if there are any.
async fn version(client: &Client, schema: &str) -> Result<Option<i32>, Error> {
    let is_there = client.query_typed(IS_LAID_OUT, &[(&bare(schema), Type::TEXT)]).await?;
    if is_there.is_empty() {
        return Ok(None);
    }
    let rows = client.query_typed(&VERSION_OF.replace("{s}", schema), &[]).await?;
    rows.first().map(|row| row.try_get(0)).transpose()
}

/// The name without its quotes.
fn bare(schema: &str) -> &str {
    schema.trim_matches('"')
}

fn check(version: i32) -> Result<(), Unusable> {
    if version == i32::from(VERSION) { Ok(()) } else { Err(Unusable(version)) }
}

impl From<Unusable> for SessionProblem {
    fn from(Unusable(version): Unusable) -> Self {
        match u16::try_from(version) {
            Ok(version) if version > VERSION => Self::Newer { version },
            _ => Self::Damaged,
        }
    }
}

/// Reads the columns of [`WHO_HAS`].
fn in_use(row: &Row) -> Result<InUse, Error> {
    let number = |name: &str| row.try_get::<_, Option<i64>>(name);
    let text = |name: &str| row.try_get::<_, Option<String>>(name);
    let holder = Holder {
        host: text("host")?.as_deref().map(shown),
        pid: number("pid")?.and_then(|pid| u32::try_from(pid).ok()),
        program: text("program")?.as_deref().map(shown),
        since: number("since")?.and_then(|since| u64::try_from(since).ok()),
    };
    let left = row.try_get::<_, f64>("left")?;
    Ok(InUse { holder, left: Duration::try_from_secs_f64(left).unwrap_or_default() })
}

fn fences_of(rows: &[Row]) -> Result<Vec<i64>, Error> {
    rows.iter().map(|row| row.try_get(0)).collect()
}

const VERSION: u16 = 1;
const SCHEMA: &str = include_str!("schema_1.sql");
/// One program at a time makes tables; the number is this library's own.
const ALONE: &str = "SELECT pg_advisory_xact_lock(7166117112165412)";
const IS_SCHEMA: &str = "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = $1";
/// Looks into the catalog itself: `to_regclass` may not see yet what was committed while we waited.
const IS_LAID_OUT: &str = "
    SELECT relname FROM pg_catalog.pg_class
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = $1 AND relname = 'layout'";
const VERSION_OF: &str = "SELECT version FROM {s}.layout";
/// A lease is renewed when this share of it is over.
const SHARE: u32 = 3;
/// The same after a renewal that found the row locked.
const AGAIN: u32 = 12;

const TAKE: &str = "
    INSERT INTO {s}.account AS a (holder, program, pid, host, until, name, fence, since)
    VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 second', $6,
            nextval('{s}.fence'), clock_timestamp())
    ON CONFLICT (name) DO UPDATE
    SET holder = $1, program = $2, pid = $3, host = $4,
        until = clock_timestamp() + $5 * interval '1 second',
        fence = excluded.fence, saves = 0, since = clock_timestamp()
    WHERE a.until <= clock_timestamp() OR a.holder = $1
    RETURNING fence";
const TAKE_ANY: &str = "
    UPDATE {s}.account
    SET holder = $1, program = $2, pid = $3, host = $4,
        until = clock_timestamp() + $5 * interval '1 second',
        fence = nextval('{s}.fence'), saves = 0, since = clock_timestamp()
    WHERE name = (
        SELECT name FROM {s}.account
        WHERE signed_in AND (until <= clock_timestamp() OR holder = $1)
        ORDER BY holder IS NOT DISTINCT FROM $1 DESC, until, name
        LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING name, fence";
const WHO_HAS: &str = "
    SELECT program, pid, host, floor(extract(epoch FROM since))::bigint AS since,
        extract(epoch FROM greatest(until - clock_timestamp(), interval '0'))::float8 AS left
    FROM {s}.account WHERE name = $1";
const LIST: &str = "
    SELECT name, signed_in, sealed, user_id, bot, dc_id, program, pid, host,
        floor(extract(epoch FROM since))::bigint AS since,
        extract(epoch FROM greatest(until - clock_timestamp(), interval '0'))::float8 AS left
    FROM {s}.account ORDER BY name";
const RENEW: &str = "
    WITH ours AS MATERIALIZED (
        SELECT fence FROM {s}.account
        WHERE fence = ANY ($1) AND until > clock_timestamp() FOR UPDATE SKIP LOCKED)
    UPDATE {s}.account AS a SET until = clock_timestamp() + $2 * interval '1 second'
    FROM ours WHERE a.fence = ours.fence RETURNING a.fence";
const STILL_OURS: &str = "
    SELECT fence FROM {s}.account WHERE fence = ANY ($1) AND until > clock_timestamp()";
const RELEASE: &str = "
    WITH gone AS (DELETE FROM {s}.account WHERE fence = $1 AND session IS NULL)
    UPDATE {s}.account
    SET holder = NULL, program = NULL, pid = NULL, host = NULL, since = NULL,
        until = clock_timestamp()
    WHERE fence = $1 AND session IS NOT NULL";
const LOAD: &str = "SELECT session FROM {s}.account WHERE name = $1";
const IS_SEALED: &str = "SELECT sealed FROM {s}.account WHERE name = $1 AND session IS NOT NULL";
const SAVE: &str = "
    UPDATE {s}.account
    SET session = $1, sealed = $2, signed_in = $3, user_id = $4, bot = $5, dc_id = $6,
        saved = clock_timestamp(), saves = $8
    WHERE fence = $7 AND saves <= $8 RETURNING fence";
const SAVE_FREE: &str = "
    INSERT INTO {s}.account AS a
        (session, sealed, signed_in, user_id, bot, dc_id, saved, name, fence, until)
    VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7, nextval('{s}.fence'),
            clock_timestamp())
    ON CONFLICT (name) DO UPDATE
    SET session = $1, sealed = $2, signed_in = $3, user_id = $4, bot = $5, dc_id = $6,
        saved = clock_timestamp(), fence = excluded.fence
    WHERE a.until <= clock_timestamp()
    RETURNING fence";
const REMOVE: &str = "
    DELETE FROM {s}.account WHERE name = $1 AND until <= clock_timestamp() RETURNING name";

#[cfg(test)]
mod tests {
    use super::*;

    /// The library below logs the parameters of statements.
    #[test]
    fn a_session_shows_nothing_in_a_log() {
        let bytes = Zeroizing::new(b"a key".to_vec());
        let entry = Entry { bytes: Some(SessionBytes::new(bytes)), ..Entry::default() };
        let session = entry.session();
        let shown = format!("{:?}", entry.parameters(&session));
        assert!(shown.contains("Some(..)") && !shown.contains("97"), "{shown}");
    }
}
