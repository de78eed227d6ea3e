"""RealMLP-TD and TabM-D of pytabkit (Holzmueller et al. 2024; Gorishniy et al. 2024) with the arguments, splits and JSON of
../shared/bench/peers.py, which PYTHONPATH finds. Defaults, but for the metric they stop by, as the other peers are told theirs.
They know no time limit.

    PYTHONPATH=../shared/bench python benchmarks/peers/tabkit.py --data ../shared/data --set mpg --peer realmlp
"""

import peers
from sklearn import impute

METRIC = {"roc_auc": "1-auc_ovr", "log_loss": "cross_entropy", "rmse": "rmse"}


def fit(peer, frame, target, meta, seconds, seed):
    """(predict: frame -> array [N] or [N, C], classes, None)"""
    import pytabkit

    regression = meta["task"] == "regression"
    name = {"realmlp": "RealMLP_TD", "tabm": "TabM_D"}[peer] + ("_Regressor" if regression else "_Classifier")
    about = {"val_metric_name": METRIC[meta["metric"]], "device": "cpu", "n_threads": 1, "random_state": seed}
    if peer == "realmlp" and not regression:
        about["use_ls"] = False  # its authors' advice for metrics of chances: no label smoothing
    numbers = [column for column in frame.columns if peers.pd.api.types.is_numeric_dtype(frame[column])]
    filler = impute.SimpleImputer(keep_empty_features=True).fit(frame[numbers].astype(float)) if numbers else None

    def ready(rows):  # RealMLP knows no missing numbers
        if numbers:
            rows = rows.assign(**dict(zip(numbers, filler.transform(rows[numbers].astype(float)).T, strict=True)))
        return peers.objects(rows)

    model = getattr(pytabkit, name)(**about).fit(ready(frame), target.to_numpy())
    if regression:
        return (lambda rows: model.predict(ready(rows)).ravel().astype(float)), [], None
    classes = list(map(str, model.classes_))
    return (lambda rows: model.predict_proba(ready(rows))[:, peers.np.argsort(classes)]), sorted(classes), None


peers.fit = fit
peers.main()
