//! SQLite calls functions, collations and a progress handler. It has user data; bound state needs no cast of it, and no
//! callback can get the data of another.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "tests")]

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::null_mut;
use std::slice;
use std::sync::{Arc, RwLock};

use cbframe::cbframe;
use libsqlite3_sys::*;

/// A database in memory.
struct Database(*mut sqlite3);

impl Database {
    fn new() -> Self {
        let mut database = null_mut();
        // SAFETY: the name is a C string; the address is that of a variable.
        let result = unsafe { sqlite3_open(c":memory:".as_ptr(), &raw mut database) };
        assert_eq!(result, SQLITE_OK);
        Self(database)
    }

    /// The rows of a query, as text with `|` between columns; or the code and the message of its error.
    fn query(&self, sql: &str) -> Result<Vec<String>, (c_int, String)> {
        let sql = CString::new(sql).unwrap();
        let mut rows = Vec::new();
        // SAFETY: the database is open, the statement lives until it is finalized, and a column's text until the next
        // step.
        unsafe {
            let error =
                || (sqlite3_errcode(self.0), CStr::from_ptr(sqlite3_errmsg(self.0)).to_str().unwrap().to_owned());
            let mut statement = null_mut();
            if sqlite3_prepare_v2(self.0, sql.as_ptr(), -1, &raw mut statement, null_mut()) != SQLITE_OK {
                return Err(error());
            }
            let end = loop {
                if sqlite3_step(statement) != SQLITE_ROW {
                    break error();
                }
                let column = |i| match sqlite3_column_text(statement, i) {
                    text if text.is_null() => "NULL".to_owned(),
                    text => CStr::from_ptr(text.cast()).to_str().unwrap().to_owned(),
                };
                rows.push((0..sqlite3_column_count(statement)).map(column).collect::<Vec<_>>().join("|"));
            };
            sqlite3_finalize(statement);
            if end.0 == SQLITE_DONE { Ok(rows) } else { Err(end) }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: not used again; all statements are finalized.
        let result = unsafe { sqlite3_close(self.0) };
        assert_eq!(result, SQLITE_OK);
    }
}

/// A text of SQLite's; an empty one may have no address.
///
/// # Safety
///
/// `start` is null, or `len` bytes are readable there until the text that this gives is dropped.
unsafe fn text<'a>(start: *const u8, len: c_int) -> Cow<'a, str> {
    // SAFETY: the caller's promise.
    let bytes = if start.is_null() { &[] } else { unsafe { slice::from_raw_parts(start, len as usize) } };
    String::from_utf8_lossy(bytes)
}

/// What a unit of each currency is worth. The program changes it while statements use it.
type Rates = RwLock<HashMap<String, f64>>;

/// `worth(amount, currency)`.
#[cbframe(abi = "C")]
fn worth(#[state] rates: &Rates, context: *mut sqlite3_context, _count: c_int, arguments: &[*mut sqlite3_value; 2]) {
    // SAFETY: SQLite passes its context and, as `worth` has two parameters, two values.
    unsafe {
        if sqlite3_value_type(arguments[0]) == SQLITE_NULL {
            return;
        }
        let currency = text(sqlite3_value_text(arguments[1]), sqlite3_value_bytes(arguments[1]));
        match rates.read().unwrap().get(&*currency) {
            Some(rate) => sqlite3_result_double(context, sqlite3_value_double(arguments[0]) * rate),
            None => {
                let message = format!("no rate for {currency}");
                sqlite3_result_error(context, message.as_ptr().cast(), message.len() as c_int);
            }
        }
    }
}

/// A function that drops what `boxed` is the address of.
fn dropper<T>(boxed: *mut T) -> unsafe extern "C" fn(*mut c_void) {
    unsafe extern "C" fn drop_box<T>(boxed: *mut c_void) {
        // SAFETY: the address of a box of this type, which whoever calls this gives up.
        drop(unsafe { Box::from_raw(boxed.cast::<T>()) });
    }
    let _ = boxed;
    drop_box::<T>
}

impl Database {
    /// Defines the SQL function `worth`, for as long as SQLite keeps it.
    fn create_worth(&self, rates: Arc<Rates>) {
        let frame = worth::bind(rates).unwrap();
        let (function, frame) = (frame.as_fn_of(), Box::into_raw(Box::new(frame)));
        // SAFETY: SQLite calls the function until it calls the last argument, once, with the frame's address; also if
        // this fails.
        let result = unsafe {
            sqlite3_create_function_v2(
                self.0,
                c"worth".as_ptr(),
                2,
                SQLITE_UTF8,
                frame.cast(),
                function,
                None,
                None,
                Some(dropper(frame)),
            )
        };
        assert_eq!(result, SQLITE_OK);
    }
}

/// SQLite computes with a table of the program, which owns it together with SQLite.
#[test]
fn a_scalar_function_with_state() {
    let rates = |rates: &[(&str, f64)]| {
        Arc::new(RwLock::new(rates.iter().map(|&(currency, rate)| (currency.to_owned(), rate)).collect()))
    };
    let (first, second): (Arc<Rates>, Arc<Rates>) = (rates(&[("EUR", 1.0), ("SEK", 0.125)]), rates(&[("SEK", 0.5)]));

    let database = Database::new();
    database.create_worth(first.clone());
    database.query("CREATE TABLE sale (item, amount, currency)").unwrap();
    let sales = "('tea', 3, 'EUR'), ('tea', 20, 'SEK'), ('cup', 100.0, 'SEK'), ('cup', NULL, 'SEK')";
    database.query(&format!("INSERT INTO sale VALUES {sales}")).unwrap();

    let sum = "SELECT item, sum(worth(amount, currency)) FROM sale GROUP BY item ORDER BY 2";
    assert_eq!(database.query(sum).unwrap(), ["tea|5.5", "cup|12.5"]);
    first.write().unwrap().insert("SEK".to_owned(), 0.25);
    assert_eq!(database.query(sum).unwrap(), ["tea|8.0", "cup|25.0"]);
    let rows = database.query("SELECT item, worth(amount, currency) FROM sale WHERE amount IS NULL").unwrap();
    assert_eq!(rows, ["cup|NULL"]);

    first.write().unwrap().remove("EUR");
    let error = database.query(sum).unwrap_err();
    assert_eq!(error, (SQLITE_ERROR, "no rate for EUR".to_owned()));

    // SQLite frees what it replaces, and the rest when it closes the database.
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (2, 1));
    database.create_worth(second.clone());
    assert_eq!((Arc::strong_count(&first), Arc::strong_count(&second)), (1, 2));
    assert_eq!(database.query("SELECT worth(3, 'SEK')").unwrap(), ["1.5"]);
    drop(database);
    assert_eq!(Arc::strong_count(&second), 1);
}

/// An alphabet: letters in the order in which a language has them.
struct Alphabet(&'static str);

impl Alphabet {
    /// Compares letter by letter; what the alphabet does not have goes first.
    fn compare(&self, a: &str, b: &str) -> Ordering {
        let key = |text: &str| -> Vec<_> {
            text.chars().flat_map(char::to_lowercase).map(|c| (self.0.find(c).map(|at| at + 1), c)).collect()
        };
        key(a).cmp(&key(b))
    }
}

#[cbframe(abi = "C")]
fn collate(
    #[state] alphabet: &Alphabet,
    _data: *mut c_void,
    a_len: c_int,
    a: *const u8,
    b_len: c_int,
    b: *const u8,
) -> c_int {
    // SAFETY: SQLite passes the addresses and the lengths of two texts.
    let (a, b) = unsafe { (text(a, a_len), text(b, b_len)) };
    alphabet.compare(&a, &b) as c_int
}

/// One function, three collations: the national alphabets put the same letters in different places. Å, Ä, Ö end the
/// Swedish alphabet, Æ, Ø, Å the Danish one; in Estonian, Š, Z and Ž come before T, and Õ, Ä, Ö, Ü before X.
#[test]
fn collations_with_state() {
    let alphabets = [
        (c"swedish", Alphabet("abcdefghijklmnopqrstuvwxyzåäö")),
        (c"danish", Alphabet("abcdefghijklmnopqrstuvwxyzæøå")),
        (c"estonian", Alphabet("abcdefghijklmnopqrsšzžtuvwõäöüxy")),
    ];
    let frames = alphabets.each_ref().map(|(_, alphabet)| collate::bind(alphabet).unwrap());
    let database = Database::new();
    for ((name, _), frame) in alphabets.iter().zip(&frames) {
        // SAFETY: the frames live longer than the database.
        let result = unsafe {
            sqlite3_create_collation_v2(database.0, name.as_ptr(), SQLITE_UTF8, null_mut(), frame.as_fn_of(), None)
        };
        assert_eq!(result, SQLITE_OK);
    }
    database.query("CREATE TABLE word (language, word)").unwrap();
    let words = [
        ("swedish", "öga zebra Åska ankare ärla ödla ask"),
        ("danish", "øl zebra åben aften Æble øje and"),
        ("estonian", "üks tee žanr Sõna zoo õun äike xerox šokk öö"),
    ];
    for (language, words) in words {
        for word in words.split(' ') {
            database.query(&format!("INSERT INTO word VALUES ('{language}', '{word}')")).unwrap();
        }
    }

    let sorted = |language| {
        let of_language = format!("FROM word WHERE language = '{language}'");
        database.query(&format!("SELECT word {of_language} ORDER BY word COLLATE {language}")).unwrap().join(" ")
    };
    assert_eq!(sorted("swedish"), "ankare ask zebra Åska ärla ödla öga");
    assert_eq!(sorted("danish"), "aften and zebra Æble øje øl åben");
    assert_eq!(sorted("estonian"), "Sõna šokk zoo žanr tee õun äike öö üks xerox");

    // An index is kept in the order of the collation, and searched by it.
    database.query("CREATE INDEX by_word ON word (word COLLATE swedish)").unwrap();
    let after_z = "SELECT word FROM word INDEXED BY by_word WHERE word > 'zz' COLLATE swedish AND language = 'swedish'";
    assert_eq!(database.query(after_z).unwrap(), ["Åska", "ärla", "ödla", "öga"]);
    assert_eq!(database.query("SELECT 'ÅR' = 'år' COLLATE swedish, 'ÅR' = 'år'").unwrap(), ["1|0"]);
}

/// How many more times SQLite may ask whether to go on.
struct Budget {
    left: u32,
    asked: u32,
}

#[cbframe(abi = "C")]
fn progress(#[state] budget: &mut Budget, _data: *mut c_void) -> c_int {
    budget.asked += 1;
    match budget.left.checked_sub(1) {
        Some(left) => {
            budget.left = left;
            0
        }
        None => 1,
    }
}

/// A query that is too expensive is interrupted; a cheap one is not.
#[test]
fn a_progress_handler_with_a_budget() {
    let database = Database::new();
    let count_to = |n: u32| {
        format!("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < {n}) SELECT max(i) FROM n")
    };
    let run = |left: u32, sql: &str| {
        let mut budget = Budget { left, asked: 0 };
        let frame = progress::bind(&mut budget).unwrap();
        // SAFETY: the frame lives until the handler is removed.
        let result = unsafe {
            sqlite3_progress_handler(database.0, 1000, frame.as_fn_of(), null_mut());
            let result = database.query(sql);
            sqlite3_progress_handler(database.0, 0, None, null_mut());
            result
        };
        drop(frame);
        (result, budget.asked)
    };

    let (result, asked) = run(u32::MAX, &count_to(100_000));
    assert_eq!(result.unwrap(), ["100000"]);
    // Each number takes more than 5 and less than 50 of the virtual machine's instructions.
    assert!((500..5000).contains(&asked), "asked {asked} times, once each 1000 instructions");

    let (result, asked) = run(200, &count_to(100_000));
    assert_eq!(result.unwrap_err(), (SQLITE_INTERRUPT, "interrupted".to_owned()));
    assert_eq!(asked, 201, "SQLite asks no more");
    assert_eq!(database.query(&count_to(1000)).unwrap(), ["1000"], "the database goes on");
}
