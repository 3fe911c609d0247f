//! The feature `libc`: each struct as the system's headers define it, and some of them by value from C.
#![cfg(feature = "libc")]

mod c;
mod layout;

use std::ffi::{c_int, c_void};

use c::Library;
use cbframe::{CType, cbframe};
use layout::Counterpart;

/// A list of descriptions, with the names that C gives the types.
macro_rules! structs {
    ($($name:ident)*) => {
        [$((stringify!($name), <libc::$name as CType>::TYPE)),*]
    };
}

#[cfg(windows)]
const HEADERS: &str = r"
#include <winsock2.h>
#include <sys/utime.h>
#include <time.h>
#define utimbuf _utimbuf
";

#[cfg(unix)]
const HEADERS: &str = r"
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <time.h>
#include <utime.h>
";

#[test]
fn as_the_headers_have_them() {
    #[cfg(windows)]
    let structs = structs! { timeval timespec tm utimbuf sockaddr };
    #[cfg(unix)]
    let structs = structs! {
        timeval timespec itimerval itimerspec tm utimbuf
        in_addr in6_addr sockaddr sockaddr_in sockaddr_in6 ip_mreq ip_mreqn linger ucred
        iovec pollfd epoll_event winsize flock
        sigval rlimit tms
        mallinfo mallinfo2
    };
    // Not one less than there are.
    let text = include_str!("../src/types/foreign.rs");
    let (of_windows, of_unix) = text.split_once("unix").expect("Windows comes first");
    let described = if cfg!(windows) { of_windows } else { of_unix }.lines().filter_map(|line| {
        let path = line.trim().strip_prefix("struct ")?.split(' ').next()?;
        path.rsplit("::").next()
    });
    assert_eq!(described.collect::<Vec<_>>(), structs.map(|(name, _)| name));

    let counterparts = structs.map(|(name, ty)| Counterpart {
        ty,
        c: format!("{} {name}", if name == "sigval" { "union" } else { "struct" }),
        fields: if name == "epoll_event" { &[("u64", "data.u64")] } else { &[] },
    });
    layout::assert_layouts("libc", HEADERS, &counterparts);
}

#[cfg(windows)]
#[test]
fn by_value_from_c() {
    #[cbframe(abi = "C")]
    fn callback(#[state] seconds: &i32, time: libc::timespec, date: libc::tm) -> libc::timeval {
        assert_eq!((time.tv_sec, time.tv_nsec, date.tm_sec, date.tm_isdst), (1, -2, 16, -17));
        libc::timeval { tv_sec: *seconds, tv_usec: 20 }
    }
    let caller = r"
        typedef struct timeval callback(struct timespec, struct tm);
        int call(callback *f) {
            struct tm date = { .tm_sec = 16, .tm_isdst = -17 };
            struct timeval r = f((struct timespec){ 1, -2 }, date);
            return r.tv_sec == 19 && r.tv_usec == 20;
        }
    ";
    let library = Library::compile("libc_by_value", &format!("{HEADERS}{caller}"));
    // SAFETY: the function's type, but for the parameter, which is a function pointer that it calls as this one is.
    let call: unsafe extern "C" fn(*const c_void) -> c_int = unsafe { std::mem::transmute(library.symbol("call")) };
    let frame = callback::bind(19).expect("a slot");
    // SAFETY: a callback of this signature, which lives.
    assert_eq!(unsafe { call(frame.as_fn() as *const c_void) }, 1);
}

#[cfg(unix)]
mod unix {
    use super::*;

    #[cbframe(abi = "C", entry = "captured")]
    fn captured(
        #[state] seconds: &libc::time_t,
        time: libc::timespec,
        address: libc::in_addr,
        event: libc::epoll_event,
        date: libc::tm,
        value: libc::sigval,
    ) -> libc::itimerval {
        native(seconds, time, address, event, date, value)
    }

    #[cbframe(abi = "C")]
    fn native(
        #[state] seconds: &libc::time_t,
        time: libc::timespec,
        address: libc::in_addr,
        event: libc::epoll_event,
        date: libc::tm,
        value: libc::sigval,
    ) -> libc::itimerval {
        let bits = event.u64;
        assert_eq!((time.tv_sec, time.tv_nsec, address.s_addr), (1, -2, 0x0304_0506));
        assert_eq!((event.events, bits, date.tm_sec, date.tm_gmtoff), (7, 0x0809_0a0b_0c0d_0e0f, 16, -17));
        assert_eq!(value.sival_ptr.addr(), 18);
        libc::itimerval {
            it_interval: libc::timeval { tv_sec: *seconds, tv_usec: 20 },
            it_value: libc::timeval { tv_sec: 21, tv_usec: 22 },
        }
    }

    #[test]
    fn by_value_from_c() {
        let caller = r"
            typedef struct itimerval callback(struct timespec, struct in_addr, struct epoll_event, struct tm, union sigval);
            int call(callback *f) {
                struct epoll_event event = { 7, { .u64 = 0x08090a0b0c0d0e0f } };
                struct tm date = { .tm_sec = 16, .tm_gmtoff = -17 };
                struct itimerval r = f((struct timespec){ 1, -2 }, (struct in_addr){ 0x03040506 }, event, date,
                                       (union sigval){ .sival_ptr = (void *)18 });
                return r.it_interval.tv_sec == 19 && r.it_interval.tv_usec == 20 && r.it_value.tv_sec == 21
                    && r.it_value.tv_usec == 22;
            }
        ";
        let library = Library::compile("libc_by_value", &format!("{HEADERS}{caller}"));
        // SAFETY: the function's type, but for the parameter, which is a function pointer that it calls as these are.
        let call: unsafe extern "C" fn(*const c_void) -> c_int = unsafe { std::mem::transmute(library.symbol("call")) };
        let native = native::bind(19).expect("a slot");
        let captured = captured::bind(19).expect("a slot");
        for callback in [native.as_fn() as *const c_void, captured.as_fn() as *const c_void] {
            // SAFETY: a callback of this signature, which lives.
            assert_eq!(unsafe { call(callback) }, 1);
        }
    }
}
