"""gunicorn in the container: few processes with threads, sized by WEB_WORKERS and WEB_THREADS.

More threads than a process can compute with: each form that is sent holds one for 50 ms or more, mostly waiting
(docs/decisions/0010-neutral-answer.md).
"""

import os

bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
preload_app = True  # one copy of the code in memory, and a start that fails at once when a setting is missing
timeout = 30  # seconds without a sign of life from a worker
graceful_timeout = 25  # below the stop_grace_period of docker-compose.yml
keepalive = 35  # above nginx's keepalive_timeout to us
max_requests = 20_000
max_requests_jitter = 2_000
worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat file must not wait for a disk
control_socket_disable = True  # it would be made in the home directory, which there is none
forwarded_allow_ips = "*"  # only the proxy can reach us (docker-compose.yml), and it overwrites the header
accesslog = None  # alliance.middleware.RequestLog logs routes; a path may hold somebody's personal link
errorlog = "-"
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
