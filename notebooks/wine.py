# %%
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.svm import SVC

X, y = load_wine(return_X_y=True)
seed = 0

# %%
"""Which preprocessing and classifier suit these wines best?"""
model = make_pipeline(Normalizer(), SVC(C=1.0))
accuracy = cross_val_score(model, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=seed)).mean()
