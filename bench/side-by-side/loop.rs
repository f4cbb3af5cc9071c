// The operations of loop.c in Rust, with its protocol: the standard library for the connection, and libc's functions.

use std::io::{self, BufRead, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::io::AsRawFd;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn setsockopt(fd: i32, level: i32, option: i32, value: *const i32, length: u32) -> i32;
    fn getsockopt(fd: i32, level: i32, option: i32, value: *mut u8, length: *mut u32) -> i32;
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
const SOL_SOCKET: i32 = 1;
const SO_KEEPALIVE: i32 = 9;
const IPPROTO_TCP: i32 = 6;
const TCP_KEEPIDLE: i32 = 4;
const TCP_KEEPINTVL: i32 = 5;
const TCP_KEEPCNT: i32 = 6;
const TCP_INFO: i32 = 11;

const SETTINGS: [(i32, i32, [i32; 2]); 4] = [
    (IPPROTO_TCP, TCP_KEEPIDLE, [60, 61]),
    (IPPROTO_TCP, TCP_KEEPINTVL, [10, 11]),
    (IPPROTO_TCP, TCP_KEEPCNT, [5, 6]),
    (SOL_SOCKET, SO_KEEPALIVE, [1, 1]),
];

fn check(status: i32) {
    if status < 0 {
        panic!("{}", io::Error::last_os_error());
    }
}

fn set(fd: i32, count: u64) {
    for i in 0..count {
        for (level, option, values) in &SETTINGS {
            let value = values[(i & 1) as usize];
            check(unsafe { setsockopt(fd, *level, *option, &value, 4) });
        }
    }
}

fn get(fd: i32, count: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..count {
        for (level, option, _) in &SETTINGS {
            let mut value: i32 = 0;
            let mut length: u32 = 4;
            let address = &mut value as *mut i32 as *mut u8;
            check(unsafe { getsockopt(fd, *level, *option, address, &mut length) });
            sum += value as u64;
        }
    }
    sum
}

fn tcp_info(fd: i32, count: u64) -> u64 {
    let mut sum = 0;
    for _ in 0..count {
        // Larger than the TCP_INFO of any kernel.
        let mut info = [0u8; 512];
        let mut length = info.len() as u32;
        check(unsafe { getsockopt(fd, IPPROTO_TCP, TCP_INFO, info.as_mut_ptr(), &mut length) });
        let word = |at: usize| u32::from_ne_bytes(info[at..at + 4].try_into().unwrap()) as u64;
        let (probes, unacked, rtt) = (info[3] as u64, word(24), word(68));
        sum += probes + unacked + rtt;
    }
    sum
}

fn cpu_time() -> i64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    check(unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) });
    time.seconds * 1_000_000_000 + time.nanoseconds
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let socket = TcpStream::connect(listener.local_addr()?)?;
    let fd = socket.as_raw_fd();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let (name, count) = line.split_once(' ').expect("an operation and a count");
        let count: u64 = count.parse().expect("a count");
        let start = cpu_time();
        let sum = match name {
            "set" => {
                set(fd, count);
                0
            }
            "get" => get(fd, count),
            "tcpInfo" => tcp_info(fd, count),
            _ => panic!("unknown operation {name}"),
        };
        println!("{} {}", cpu_time() - start, sum);
        io::stdout().flush()?;
    }
    Ok(())
}
