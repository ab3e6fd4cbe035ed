"""The paper's tables on any dataset: train each network on each forgery at each level, score, and write the tables.

    OUT/weights/NAME.weights.h5, NAME.json     the network of a job, and a card that says what it was trained on
    OUT/scores/NAME.csv                        p_real of each validation and test face of the dataset, all forgeries
    OUT/scores/NAME@OTHER.csv                  p_real of each test face of another dataset
    OUT/tables.html, tables.md, tables.csv     the paper's tables beside ours, made from the scores alone

NAME is NETWORK-METHOD-crfLEVEL-seedSEED. A job whose scores are there is skipped, so a run that was stopped goes on.
`jobs` plans, trains and scores; `tables` makes tables of the scores, also of those that the package brings.
"""

from mesokit.reproduce.jobs import estimate, plan, run
from mesokit.reproduce.tables import beside_paper, by_rule, write

__all__ = ["beside_paper", "by_rule", "estimate", "plan", "run", "write"]
