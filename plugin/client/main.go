// What Argo CD's plugin server starts for each generation. It hands the generation to a worker that runs already
// (`image-resolver worker`, started by entrypoint.sh), because Node takes longer to start than a small application to render.
// Without a worker that is free the generation is a process of its own, as ever: `image-resolver generate --in-place`.
//
// What is said over the socket is described in src/worker/protocol.ts.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	frameFree   = 0
	frameStdout = 1
	frameStderr = 2
	frameExit   = 3
)

// A worker that is free says so within a millisecond. One that does not is stuck, and is left alone.
const freeWithin = time.Second

// Exit codes as those of image-resolver.
const (
	exitError = 1
	exitUsage = 2
)

// WORKER_ENDED of docs/errors.md. Nobody else renders it now: what the worker left in the directory may be half written.
const workerEnded = `WORKER_ENDED  the worker that rendered this application ended before it was done
  at   the plugin container
  fix  see why in its log; if its memory was used up, raise the limit; the next generation begins afresh
`

// OUTPUT_UNWRITABLE of docs/errors.md.
const outputUnwritable = `OUTPUT_UNWRITABLE  the output could not be written (%v)
  at   standard output
  fix  make room where it goes to
`

type request struct {
	Directory   string   `json:"directory"`
	Environment []string `json:"environment"`
}

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "image-resolver-generate takes no arguments: it renders the application in this directory")
		os.Exit(exitUsage)
	}
	if line, err := requestLine(); err == nil {
		for _, socket := range sockets() {
			if code, done := askWorker(socket, line); done {
				os.Exit(code)
			}
		}
	}
	runHere()
}

func requestLine() ([]byte, error) {
	// Not os.Getwd: that believes the variable PWD, which tells a path with symbolic links.
	directory, err := syscall.Getwd()
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(request{directory, os.Environ()})
	return append(line, '\n'), err
}

// The sockets of all workers, in the order they are asked: the first is used most, so its code is compiled best.
func sockets() []string {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), "image-resolver-workers", "*.sock"))
	return found
}

// askWorker lets a worker render. It answers false when the worker has not begun: then somebody else may.
func askWorker(socket string, line []byte) (code int, done bool) {
	// A worker that is busy cannot say so at once. The lock tells without it, and ends with the process that holds it.
	lock, err := os.OpenFile(socket+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil || syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return 0, false
	}
	defer lock.Close()
	connection, err := net.DialTimeout("unix", socket, freeWithin)
	if err != nil {
		return 0, false
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(freeWithin))
	if kind, _, err := readHeader(connection); err != nil || kind != frameFree {
		return 0, false
	}
	connection.SetDeadline(time.Time{})
	if _, err = connection.Write(line); err == nil {
		code, err = copyAnswer(connection)
	}
	var unwritten *os.PathError
	switch {
	case errors.As(err, &unwritten):
		fmt.Fprintf(os.Stderr, outputUnwritable, unwritten.Err)
		code = exitError
	case err != nil:
		fmt.Fprint(os.Stderr, workerEnded)
		code = exitError
	}
	return code, true
}

// plain hides that a file could splice: an error of that does not tell which side it is of.
type plain struct{ io.Writer }

func copyAnswer(connection io.Reader) (code int, err error) {
	for {
		kind, value, err := readHeader(connection)
		if err != nil {
			return 0, err
		}
		switch kind {
		case frameStdout:
			_, err = io.CopyN(plain{os.Stdout}, connection, int64(value))
		case frameStderr:
			_, err = io.CopyN(plain{os.Stderr}, connection, int64(value))
		case frameExit:
			return int(value), nil
		default:
			err = fmt.Errorf("unknown frame %d", kind)
		}
		if err != nil {
			return 0, err
		}
	}
}

// readHeader reads the kind of a frame and its number: how many bytes follow, or an exit code.
func readHeader(connection io.Reader) (kind byte, value uint32, err error) {
	var header [5]byte
	_, err = io.ReadFull(connection, header[:])
	return header[0], binary.BigEndian.Uint32(header[1:]), err
}

// runHere becomes the process that renders.
func runHere() {
	program, err := exec.LookPath("image-resolver")
	if err == nil {
		err = syscall.Exec(program, []string{program, "generate", "--in-place"}, os.Environ())
	}
	fmt.Fprintf(os.Stderr, "image-resolver cannot be started (%v): its folder must be on PATH\n", err)
	os.Exit(exitError)
}
