// The operations of loop.c in Go, with its protocol and only the standard library, as a program with a net.Conn makes them.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

var settings = [4]struct {
	level, option int
	values        [2]int
}{
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, [2]int{60, 61}},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, [2]int{10, 11}},
	{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, [2]int{5, 6}},
	{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, [2]int{1, 1}},
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func set(socket syscall.RawConn, count int) {
	for i := 0; i < count; i++ {
		check(socket.Control(func(fd uintptr) {
			for _, one := range settings {
				check(syscall.SetsockoptInt(int(fd), one.level, one.option, one.values[i&1]))
			}
		}))
	}
}

func get(socket syscall.RawConn, count int) int {
	sum := 0
	for i := 0; i < count; i++ {
		check(socket.Control(func(fd uintptr) {
			for _, one := range settings {
				value, err := syscall.GetsockoptInt(int(fd), one.level, one.option)
				check(err)
				sum += value
			}
		}))
	}
	return sum
}

func tcpInfo(socket syscall.RawConn, count int) int {
	sum := 0
	for i := 0; i < count; i++ {
		// Larger than the TCP_INFO of any kernel. The standard library has no function that reads it.
		var info [512]byte
		length := uint32(len(info))
		check(socket.Control(func(fd uintptr) {
			_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
				uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&length)), 0)
			if errno != 0 {
				check(errno)
			}
		}))
		word := func(at int) int { return int(binary.LittleEndian.Uint32(info[at:])) }
		probes, unacked, rtt := int(info[3]), word(24), word(68)
		sum += probes + unacked + rtt
	}
	return sum
}

// In nanoseconds, of all threads.
func cpuTime() int64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	connection, err := net.Dial("tcp", listener.Addr().String())
	check(err)
	socket, err := connection.(*net.TCPConn).SyscallConn()
	check(err)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		name, number, _ := strings.Cut(lines.Text(), " ")
		count, err := strconv.Atoi(number)
		check(err)
		sum := 0
		start := cpuTime()
		switch name {
		case "set":
			set(socket, count)
		case "get":
			sum = get(socket, count)
		case "tcpInfo":
			sum = tcpInfo(socket, count)
		}
		fmt.Println(cpuTime()-start, sum)
	}
}
