"""What a program in Python does with a client that is generated from the API's own document."""

import os

from scheduler_client import AuthenticatedClient
from scheduler_client.api.jobs import (
    change_job,
    create_job,
    get_job,
    list_jobs,
    pause_job,
    remove_job,
    resume_job,
)
from scheduler_client.models import JobChange, NewJob, Note

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["SCHEDULER_TOKEN"])
name = "from-python / ä"

job = NewJob.from_dict(
    {"id": name, "task": "greet", "arguments": {"name": "Ada"}, "trigger": "every 1h"}
)
created = create_job.sync_detailed(client=client, body=job)
assert created.status_code == 201, created
assert created.parsed.arguments["name"] == "Ada"

found = list_jobs.sync(client=client, q="from-python", recent=1)
assert [job.id for job in found.items] == [name], found

# Edited twice from what was read once.
revision = created.parsed.revision
edited = change_job.sync_detailed(
    name, client=client, body=JobChange(trigger="every 2h", revision=revision)
)
assert edited.status_code == 200, edited
stale = change_job.sync_detailed(
    name, client=client, body=JobChange(trigger="every 3h"), if_match=f'"{revision}"'
)
assert stale.status_code == 412, stale
assert stale.parsed.yours.trigger == "every 3h", stale
assert stale.parsed.current.revision == edited.parsed.revision

assert pause_job.sync(name, client=client).state == "paused"
assert pause_job.sync(name, client=client, body=Note(note="why")).paused_note == "why"
assert resume_job.sync(name, client=client).state == "scheduled"

assert remove_job.sync_detailed(name, client=client).status_code == 204
assert get_job.sync_detailed(name, client=client).status_code == 404
print("the client in Python: created, listed, edited, refused, paused, resumed, removed")
