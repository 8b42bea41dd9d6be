"""A tiny daemon that answers GET /status, with the bad habits asked for.

    python fake_daemon.py SERVICE PORT STATUS_JSON [--die-after S CODE MARK] [--deaf] [--refuse TEXT] [--say TEXT]

`--die-after` holds for the first life only: the file MARK tells the lives apart.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("service")
    parser.add_argument("port", type=int)
    parser.add_argument("status")
    parser.add_argument("--die-after", nargs=3)
    parser.add_argument("--deaf", action="store_true")
    parser.add_argument("--refuse")
    parser.add_argument("--say")
    args = parser.parse_args()
    if args.refuse:
        print(args.refuse, file=sys.stderr)
        sys.exit(4)
    if args.say:
        print(args.say, flush=True)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if args.deaf else lambda *_: os._exit(0))
    if args.die_after:
        after_s, code, mark = args.die_after
        if not Path(mark).exists():
            Path(mark).touch()
            threading.Timer(float(after_s), os._exit, (int(code),)).start()
    status = {**json.loads(args.status), "service": args.service, "pid": os.getpid(), "ready": True}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(status).encode())

        def log_message(self, *_: object) -> None: ...

    HTTPServer(("127.0.0.1", args.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
