"""Datasets labelled by a Dask cluster: CSV and Parquet, wherever fsspec reaches."""

import io
import json
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import uuid4

import pandas as pd

from classifier.batch import (
    ERROR,
    as_cells,
    faults_of,
    segment_of,
)
from classifier.errors import ClassifierError, InputError, ModelError, OutputError
from classifier.formats import make_writer
from classifier.labelling_files import Job
from classifier.labels import LABEL_COLUMNS
from classifier.model import JobTitleClassifier
from classifier.outputs import StreamOutput
from classifier.parts import ROWS, Part, addressed, cut, find_files, read_part
from classifier.persistence import MODEL_FILE, read_manifest
from classifier.shipped import load_model
from classifier.summary import Kind, Summary
from classifier.versions import active_directory

CONNECTING = 10
"""How many seconds a scheduler, and its first worker, may take to answer."""

_TITLE, _TEXT, _PART, _STATE = "title", "description", "part", "state"
_FAILURES = {
    "KilledWorker": "workers died, perhaps for lack of memory; give them more, or have fewer",
    "FutureCancelledError": "the Dask scheduler is gone; run again",
    "CommClosedError": "the Dask scheduler is gone; run again",
}
# with this, which Dask sets, memory goes back to the system all the time: half as fast
_ENVIRON, _TRIM = "distributed.nanny.pre-spawn-environ", "MALLOC_TRIM_THRESHOLD_"
# errors are told once, by whoever waits for what becomes of a part
_QUIET = dict.fromkeys(("distributed", "distributed.client", "distributed.gc"), "critical")
_LOADING = Lock()


def label_dataset(
    sources: Sequence[str],
    target: str,
    job: Job,
    *,
    model_directory: Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> dict[str, Summary]:
    """Label CSV and Parquet files in parts, each of which becomes a file.

    The same rows get the same labels as by `classifier.labelling_files.label_file`.

    Parameters
    ----------
    sources
        Addresses of files and directories, and patterns, as fsspec takes them.
    target
        The address of the directory that the parts go to. It has its name only when it is whole; a
        store that cannot rename directories gets one part after the other in the end.
    job
        What is wanted; runs cannot be gone on with, and have no shares.
    model_directory
        Where each worker finds the model; None for the one shipped here.
    scheduler
        The address of a Dask scheduler; None to make a cluster on this machine.
    workers
        How many processes that cluster has; None for one a core.
    progress
        Called with the number of parts that are done, and how many there are.

    Returns
    -------
    dict of str to Summary
        What was found in each file.

    Raises
    ------
    InputError
        If Dask is not installed, no scheduler answers, or files cannot be read.
    OutputError
        If the directory has files in it, or cannot be written.
    ModelError
        If a worker has no model, or another one.
    ClassifierError
        If the cluster fails.
    """
    dask, dask_frame, distributed = _libraries()
    files = find_files(sources)
    fs, folder = _directory(target)
    unfinished = f"{folder}.{uuid4().hex[:8]}.partial"  # no other run's
    with ExitStack() as stack:
        stack.enter_context(_told())
        with _writing(target):
            fs.makedirs(unfinished)
        stack.callback(_remove, fs, unfinished)  # when the workers are gone
        # what is text in a file stays the text it is
        stack.enter_context(dask.config.set({"dataframe.convert-string": False}))
        client = stack.enter_context(_client(dask, distributed, scheduler, workers))
        plans = client.map(partial(cut, job=job), files, pure=False)
        for plan in distributed.as_completed(plans):
            plan.result()  # the first error is raised
        own_parts = chain.from_iterable(plan.result() for plan in plans)
        parts = [replace(part, number=n) for n, part in enumerate(own_parts)]
        labelling = partial(_label, job=job, model_directory=model_directory)
        writing = partial(_write, job=job, fs=fs, folder=unfinished, target=target)
        frame = _labelled(dask_frame, parts, partial(_read, job=job), labelling, writing)
        found: list[Summary] = [Summary()] * len(parts)
        futures = distributed.as_completed(client.compute(frame.to_delayed()))
        for n_done, future in enumerate(futures, 1):
            state = json.loads(future.result()[_STATE].iloc[0])
            found[state["number"]] = Summary.from_state(state["summary"])
            if progress is not None:
                progress(n_done, len(parts))
        with _writing(target):
            fs.invalidate_cache()
            if len(fs.ls(unfinished)) != len(parts):
                raise OutputError(f"{target}: workers write to another place of that name")
            if fs.exists(folder):  # empty
                fs.rmdir(folder)
            fs.mv(unfinished, folder, recursive=True)
    summaries = {file.name: Summary() for file in files}
    for part, own in zip(parts, found, strict=True):
        summaries[part.source.name].include(own)
    return summaries


def _libraries() -> tuple[Any, Any, Any]:
    """Return Dask, its data frames and its scheduler."""
    try:
        import dask

        dask.config.set({"logging": _QUIET})  # it is read when distributed is imported
        import distributed
        from dask import dataframe
    except ImportError as error:
        raise InputError(
            "a cluster needs Dask; run: pip install 'jobtitle-classifier[dask]'"
        ) from error
    return dask, dataframe, distributed


@contextmanager
def _told() -> Iterator[None]:
    """Say in a line what went wrong in a worker, or on the way to it."""
    try:
        yield
    except ClassifierError:
        raise
    except Exception as error:
        known = _FAILURES.get(type(error).__name__)
        if known is not None:
            raise ClassifierError(known) from error
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise ClassifierError(f"the cluster failed: {type(error).__name__}: {reason}") from error


@contextmanager
def _client(
    dask: Any, distributed: Any, scheduler: str | None, workers: int | None
) -> Iterator[Any]:
    """Connect to a cluster, or make one on this machine."""
    with ExitStack() as stack:
        if scheduler is None:
            environ = dask.config.get(_ENVIRON)
            environ = {name: own for name, own in environ.items() if name != _TRIM}
            stack.enter_context(dask.config.set({_ENVIRON: environ}))
            with _uninterrupted():
                own = stack.enter_context(
                    distributed.LocalCluster(
                        n_workers=workers,
                        threads_per_worker=1,
                        memory_limit=None,  # a part at a time: there is nothing to spill
                        dashboard_address="127.0.0.1:0",
                        silence_logs=logging.CRITICAL,
                    )
                )
            yield stack.enter_context(distributed.Client(own))
            return
        try:
            client = stack.enter_context(distributed.Client(scheduler, timeout=CONNECTING))
            client.wait_for_workers(1, timeout=CONNECTING)
        except (OSError, TypeError, ValueError) as error:
            raise InputError(
                f"{scheduler}: no Dask scheduler with a worker answers there; an address is like "
                "tcp://10.0.0.7:8786"
            ) from error
        yield client


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let processes that are started not hear of Ctrl-C: this one hears of it, and ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which lets a thread hear of it again
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def _writing(target: str) -> Iterator[None]:
    """Say of a directory that cannot be written which one it is."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error})") from error


def _directory(address: str) -> tuple[Any, str]:
    """Find where the parts go; nothing may be there yet."""
    import fsspec

    with addressed(address):
        fs, path = fsspec.core.url_to_fs(address)
        if fs.exists(path) and (not fs.isdir(path) or fs.ls(path)):
            raise OutputError(f"{address}: is there already; name a new directory with --output")
    return fs, path.rstrip("/")


def _remove(fs: Any, folder: str) -> None:
    """Delete a directory, if it is there."""
    with suppress(OSError):
        if fs.exists(folder):
            fs.rm(folder, recursive=True)


@lru_cache(maxsize=1)
def _model(directory: Path | None, expected: str) -> JobTitleClassifier:
    """Load the model that a worker finds, if it is the one that is expected."""
    own = active_directory(directory)
    if read_manifest(own)["sha256"][MODEL_FILE] != expected:
        raise ModelError(f"{own}: a worker has another model there; give all the same")
    return load_model(directory)


def _labelled(
    dask_frame: Any,
    parts: Sequence[Part],
    read: Callable[[pd.DataFrame], pd.DataFrame],
    label: Callable[[pd.DataFrame], pd.DataFrame],
    write: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame],
) -> Any:
    """Return Dask's frame of what was found in each part, a row each."""
    plan = dask_frame.from_map(_planned, parts, meta=_empty(_PART))
    rows = plan.map_partitions(read, meta=_empty(_TITLE, _TEXT), enforce_metadata=False)
    labels = rows.map_partitions(label, meta=_empty(*LABEL_COLUMNS), enforce_metadata=False)
    return labels.map_partitions(
        write, plan, meta=_empty(_STATE), enforce_metadata=False, align_dataframes=False
    )


def _empty(*names: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(names), dtype=object)


def _planned(part: Part) -> pd.DataFrame:
    return pd.DataFrame({_PART: [part]})


def _read(plan: pd.DataFrame, job: Job) -> pd.DataFrame:
    """Read the titles and descriptions of a part; no descriptions where there is no column."""
    part = plan[_PART].iloc[0]
    table = read_part(part, job.reading.csv)
    titles: list[str] = []
    texts: list[str | None] = []
    for chunk in table.chunks(ROWS):
        faults_of(table, chunk, strict=job.options.strict)
        own_titles, own_texts = part.columns.read(chunk)
        titles += own_titles
        texts += [None] * len(chunk) if own_texts is None else own_texts
    return pd.DataFrame({_TITLE: titles, _TEXT: texts}, dtype=object)


def _label(rows: pd.DataFrame, job: Job, model_directory: Path | None) -> pd.DataFrame:
    """Label the rows of a part."""
    with _LOADING:  # once, also where a worker has several threads
        model = _model(model_directory, job.model_hash)
        model.corrections = job.options.corrections
    return model.predict_frame(
        rows,
        title=_TITLE,
        description=None if rows[_TEXT].isna().all() else _TEXT,
        policy=job.options.policy,
        min_confidence=job.options.min_confidence,
        n_candidates=job.options.n_candidates,
    )


def _write(
    labels: pd.DataFrame, plan: pd.DataFrame, job: Job, fs: Any, folder: str, target: str
) -> pd.DataFrame:
    """Write a part with its labels, and return what was found."""
    part: Part = plan[_PART].iloc[0]
    source, added = part.source, job.options.added
    kind = job.writing.format or source.format
    name = f"part-{part.number:05}.{kind}" + (f".{source.compression}" * bool(source.compression))
    table = read_part(part, job.reading.csv)
    writer = make_writer(table, added, job.options.excess, replace(job.writing, format=kind))
    columns = [as_cells(labels[column]) for column in labels]
    summary, start = Summary(), 0
    with (
        _writing(target),
        fs.open(f"{folder}/{name}", "wb") as file,
        StreamOutput(file, writer, table, source.compression, name=target) as output,
    ):
        output.write(writer.head())
        for n, chunk in enumerate(table.chunks(ROWS)):
            own = [cells[start : start + len(chunk)] for cells in columns]
            start += len(chunk)
            for row in chunk.faults:
                for cells in own:
                    cells[row] = ERROR if cells is own[0] else ""
            cells_of = dict(zip(added, own, strict=True))
            written = writer.labels(cells_of)
            output.write(segment_of(writer, table, chunk, written, first=n == 0))
            summary.add(Counter(map(Kind, *own[:3])), faults_of(table, chunk))
        output.write(writer.tail())
        output.finish()
        with suppress(io.UnsupportedOperation):  # a local file
            os.fsync(file.fileno())
    read_part.cache_clear()
    source.check()
    return pd.DataFrame({_STATE: [json.dumps({"number": part.number, "summary": summary.state()})]})
