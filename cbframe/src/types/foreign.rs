//! Types of other crates, each behind the feature that is called like the crate.

#[cfg(all(feature = "libc", windows))]
mod libc {
    use core::ffi::{c_char, c_int, c_long, c_ushort};

    use libc::{time_t, time64_t};

    crate::c_type! {
        local = ();

        // <time.h>, <sys/utime.h>, <winsock2.h>
        struct libc::timeval { tv_sec: c_long, tv_usec: c_long }
        struct libc::timespec { tv_sec: time_t, tv_nsec: c_long }
        struct libc::tm {
            tm_sec: c_int,
            tm_min: c_int,
            tm_hour: c_int,
            tm_mday: c_int,
            tm_mon: c_int,
            tm_year: c_int,
            tm_wday: c_int,
            tm_yday: c_int,
            tm_isdst: c_int,
        }
        struct libc::utimbuf { actime: time64_t, modtime: time64_t }
        struct libc::sockaddr { sa_family: c_ushort, sa_data: [c_char; 14] }
    }
}

#[cfg(all(feature = "libc", unix))]
#[allow(deprecated, reason = "on musl, `time_t` warns of a change that has happened")]
mod libc {
    use core::ffi::{c_char, c_int, c_long, c_short, c_ushort, c_void};

    use libc::{in_addr, in6_addr, pid_t, sa_family_t, size_t, time_t, timespec, timeval};

    // What is passed by value, or is part of such; a struct with private fields cannot be described.
    crate::c_type! {
        local = ();

        // <time.h>, <sys/time.h>, <sys/timerfd.h>, <utime.h>
        struct timeval { tv_sec: time_t, tv_usec: libc::suseconds_t }
        struct timespec { tv_sec: time_t, tv_nsec: c_long }
        struct libc::itimerval { it_interval: timeval, it_value: timeval }
        struct libc::itimerspec { it_interval: timespec, it_value: timespec }
        struct libc::tm {
            tm_sec: c_int,
            tm_min: c_int,
            tm_hour: c_int,
            tm_mday: c_int,
            tm_mon: c_int,
            tm_year: c_int,
            tm_wday: c_int,
            tm_yday: c_int,
            tm_isdst: c_int,
            tm_gmtoff: c_long,
            tm_zone: *const c_char,
        }
        struct libc::utimbuf { actime: time_t, modtime: time_t }

        // <netinet/in.h>, <sys/socket.h>
        #[repr(C)]
        struct in_addr { s_addr: libc::in_addr_t }
        struct in6_addr { s6_addr: [u8; 16] }
        struct libc::sockaddr { sa_family: sa_family_t, sa_data: [c_char; 14] }
        struct libc::sockaddr_in {
            sin_family: sa_family_t,
            sin_port: libc::in_port_t,
            sin_addr: in_addr,
            sin_zero: [u8; 8],
        }
        struct libc::sockaddr_in6 {
            sin6_family: sa_family_t,
            sin6_port: libc::in_port_t,
            sin6_flowinfo: u32,
            sin6_addr: in6_addr,
            sin6_scope_id: u32,
        }
        struct libc::ip_mreq { imr_multiaddr: in_addr, imr_interface: in_addr }
        struct libc::ip_mreqn { imr_multiaddr: in_addr, imr_address: in_addr, imr_ifindex: c_int }
        struct libc::linger { l_onoff: c_int, l_linger: c_int }
        struct libc::ucred { pid: pid_t, uid: libc::uid_t, gid: libc::gid_t }

        // <sys/uio.h>, <poll.h>, <sys/epoll.h>, <sys/ioctl.h>, <fcntl.h>
        struct libc::iovec { iov_base: *mut c_void, iov_len: size_t }
        struct libc::pollfd { fd: c_int, events: c_short, revents: c_short }
        // Packed on x86-64.
        struct libc::epoll_event { events: u32, u64: u64 }
        struct libc::winsize { ws_row: c_ushort, ws_col: c_ushort, ws_xpixel: c_ushort, ws_ypixel: c_ushort }
        struct libc::flock {
            l_type: c_short,
            l_whence: c_short,
            l_start: libc::off_t,
            l_len: libc::off_t,
            l_pid: pid_t,
        }

        // <signal.h>, <sys/resource.h>, <sys/times.h>
        // In C a union of a pointer and an `int`, which is passed as the pointer is.
        #[repr(C)]
        struct libc::sigval { sival_ptr: *mut c_void }
        struct libc::rlimit { rlim_cur: libc::rlim_t, rlim_max: libc::rlim_t }
        struct libc::tms {
            tms_utime: libc::clock_t,
            tms_stime: libc::clock_t,
            tms_cutime: libc::clock_t,
            tms_cstime: libc::clock_t,
        }

        // <malloc.h>: `mallinfo` and `mallinfo2` return them.
        #[cfg(target_env = "gnu")]
        struct libc::mallinfo {
            arena: c_int,
            ordblks: c_int,
            smblks: c_int,
            hblks: c_int,
            hblkhd: c_int,
            usmblks: c_int,
            fsmblks: c_int,
            uordblks: c_int,
            fordblks: c_int,
            keepcost: c_int,
        }
        #[cfg(target_env = "gnu")]
        struct libc::mallinfo2 {
            arena: size_t,
            ordblks: size_t,
            smblks: size_t,
            hblks: size_t,
            hblkhd: size_t,
            usmblks: size_t,
            fsmblks: size_t,
            uordblks: size_t,
            fordblks: size_t,
            keepcost: size_t,
        }
    }
}

#[cfg(feature = "num-complex")]
mod num_complex {
    use num_complex::Complex;

    use crate::types::{CType, Kind, Type, scalar};

    macro_rules! complex {
        ($($part:ty)*) => { $(
            // SAFETY: `Complex` is `repr(C)` with a real and an imaginary part, both of which any bits are a value of;
            // its documentation: "memory layout compatible with an array `[T; 2]`", as C says of its own (C11,
            // 6.2.5, 13).
            unsafe impl CType for Complex<$part> {
                const TYPE: Type =
                    scalar::<Self>("Complex", Kind::Complex { element: &const { <$part as CType>::TYPE } });
            }

            const _: () = <Complex<$part> as CType>::TYPE.check();
        )* };
    }

    complex! { f32 f64 crate::LongDouble }
}
