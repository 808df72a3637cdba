"""The question asked of ACES by its Python interface, which spares it the command line's start and writing of a file.

python es_aces_count.py TASK.yaml EVENTS.parquet
"""

import json
import sys
import time
from pathlib import Path

from aces import config, predicates, query
from omegaconf import DictConfig

task, events = sys.argv[1:]
started = time.perf_counter()
settings = config.TaskExtractorConfig.load(config_path=Path(task))
counted = predicates.get_predicates_df(settings, DictConfig({"path": events, "standard": "meds"}))
found = query.query(settings, counted)
ended = time.perf_counter()
print(json.dumps({"people": found["subject_id"].n_unique(), "query_seconds": ended - started}))
