"""Executors that do their tasks in other ways than usual."""

import time
from concurrent.futures import Executor, Future, ThreadPoolExecutor


class Here(Executor):
    """Does every task at once, in this thread."""

    _max_workers = 3

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Uneven(ThreadPoolExecutor):
    """Does the first tasks of many last."""

    def submit(self, function, /, *args, **kwargs):
        late = 0.02 * (-self._work_queue.qsize() % 4)
        return super().submit(lambda: (time.sleep(late), function(*args, **kwargs))[1])
