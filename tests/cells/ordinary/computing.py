"""Numbers without a model that is fitted and asked: SciPy, simulations, statistics, series."""

from ordinary.case import Case

SEASONS = """
import numpy as np
import pandas as pd

days = pd.date_range("2024-01-01", periods=400, freq="D")
noise = np.random.default_rng(6).normal(0, 1, 400)
visits = pd.Series(50 + 0.05 * np.arange(400) + 8 * np.sin(np.arange(400) * 2 * np.pi / 7) + noise, index=days)
"""

CELLS = (
    Case(
        name="SciPy optimisation",
        setup=("import numpy as np\nfrom scipy import optimize",),
        code="""def banana(v, a=1.0, b=100.0):
    return (a - v[0]) ** 2 + b * (v[1] - v[0] ** 2) ** 2

result = optimize.minimize(banana, x0=[-1.2, 1.0], method="Nelder-Mead", options={"maxiter": 60})
value = result.fun
print(result.message)""",
        metric="value",
    ),
    Case(
        name="curve fit",
        setup=(
            "import numpy as np\nfrom scipy.optimize import curve_fit\nt = np.linspace(0, 4, 60)\n"
            "signal = 2.5 * np.exp(-1.3 * t) + np.random.default_rng(0).normal(0, 0.05, t.size)",
        ),
        code="""decay = lambda t, amplitude, rate: amplitude * np.exp(-rate * t)
(amplitude, rate), covariance = curve_fit(decay, t, signal, p0=(1.0, 1.0))
residual = float(np.sqrt(np.mean((signal - decay(t, amplitude, rate)) ** 2)))""",
        metric="residual",
    ),
    Case(
        name="differential equation",
        setup=("import numpy as np\nfrom scipy.integrate import solve_ivp\nobserved = 21.0",),
        code="""def lotka_volterra(t, z, a, b, c, d):
    x, y = z
    return [a * x - b * x * y, -c * y + d * x * y]

parameters = (1.5, 1.0, 3.0, 1.0)
solution = solve_ivp(lotka_volterra, [0, 15], [10, 5], args=parameters, rtol=1e-6, dense_output=True)
prey, predators = solution.sol(np.linspace(0, 15, 300))
gap = abs(prey.max() + predators.max() - observed)""",
        metric="gap",
    ),
    Case(
        name="simulation",
        setup=("import numpy as np",),
        code="""rng = np.random.default_rng(seed=12)
n_walkers, n_steps, drift = 500, 200, 0.02
steps = rng.normal(drift, 1.0, size=(n_walkers, n_steps))
walks = steps.cumsum(axis=1)
crossed = (walks > 10).any(axis=1)
share = crossed.mean()""",
        metric="share",
    ),
    Case(
        name="sampler",
        setup=("import math\nimport random",),
        code="""random.seed(20)
position, accepted, total, step_size, draws = 0.0, 0, 0.0, 1.5, 4000
log_density = lambda x: -0.5 * (x - 1) ** 2
for _ in range(draws):
    proposal = position + random.gauss(0, step_size)
    if math.log(random.random()) < log_density(proposal) - log_density(position):
        position, accepted = proposal, accepted + 1
    total += position
rate = accepted / draws
error = abs(total / draws - 1)""",
        metric="error",
    ),
    Case(
        name="old random state",
        setup=("import numpy as np\nstate = np.random.RandomState(3)\nheights = state.normal(170, 9, 80)",),
        code="""boot = np.random.RandomState(17)
means = [boot.choice(heights, size=len(heights), replace=True).mean() for _ in range(300)]
low, high = np.percentile(means, [2.5, 97.5])
width = high - low""",
        metric="width",
    ),
    Case(
        name="generator made in the cell above",
        setup=("import numpy as np\nrng = np.random.default_rng(123)\nfirst = rng.normal(size=5)",),
        code="estimate = 4 * np.mean(rng.random(20_000) ** 2 + rng.random(20_000) ** 2 < 1)",
        metric="estimate",
    ),
    Case(
        name="ordinary least squares",
        setup=(
            "import numpy as np\nimport statsmodels.api as sm\nrng = np.random.default_rng(0)\n"
            "x = rng.normal(size=(90, 3))\ny = x @ [1.0, -2.0, 0.0] + rng.normal(size=90)",
        ),
        code="model = sm.OLS(y, sm.add_constant(x)).fit()\nprint(model.summary())\nr2 = model.rsquared_adj",
        metric="r2",
        needs=("statsmodels",),
    ),
    Case(
        name="formula",
        setup=(
            "import numpy as np, pandas as pd\nimport statsmodels.formula.api as smf\n"
            "rng = np.random.default_rng(1)\n"
            "plots = pd.DataFrame({'rain': rng.gamma(3, 1, 70), 'soil': rng.choice(list('abc'), 70)})\n"
            "plots['crop'] = 2 + 0.7 * plots.rain + (plots.soil == 'a') + rng.normal(0, 0.4, 70)",
        ),
        code="""fit = smf.ols("crop ~ rain + C(soil)", data=plots).fit(cov_type="HC1")
aic = fit.aic
display(fit.params.to_frame("estimate"))""",
        metric="aic",
        needs=("statsmodels",),
    ),
    Case(
        name="time series by regression",
        setup=(SEASONS, "from sklearn.linear_model import Ridge\nfrom sklearn.model_selection import TimeSeriesSplit"),
        code="""frame = pd.DataFrame({f"lag_{k}": visits.shift(k) for k in (1, 2, 7)}).assign(
    weekday=visits.index.dayofweek, rolling=visits.shift(1).rolling(14).mean(), target=visits).dropna()
features, target = frame.drop(columns="target"), frame["target"]
errors = []
for train, test in TimeSeriesSplit(n_splits=4).split(features):
    model = Ridge(alpha=1.0).fit(features.iloc[train], target.iloc[train])
    errors.append((model.predict(features.iloc[test]) - target.iloc[test]).abs().mean())
mae = sum(errors) / len(errors)""",
        metric="mae",
    ),
    Case(
        name="smoothing of a series",
        setup=(SEASONS,),
        code="""from statsmodels.tsa.holtwinters import ExponentialSmoothing

train, test = visits[:350], visits[350:]
fit = ExponentialSmoothing(train, trend="add", seasonal="add", seasonal_periods=7).fit()
forecast = fit.forecast(len(test))
mape = (abs(forecast - test) / test).mean() * 100""",
        metric="mape",
        needs=("statsmodels",),
    ),
    Case(
        name="hypothesis test",
        setup=("from scipy import stats\nimport numpy as np",),
        code="""rng = np.random.default_rng(9)
before = rng.normal(10, 2, 25)
after = before + rng.normal(0.6, 1, 25)
statistic, p_value = stats.wilcoxon(before, after)""",
        metric="p_value",
    ),
    Case(
        name="processes of one's own",
        setup=("from concurrent.futures import ThreadPoolExecutor\nfrom multiprocessing import Pool\nimport math",),
        code="""with Pool(2) as pool:
    roots = pool.map(math.sqrt, range(100))
with ThreadPoolExecutor(4) as threads:
    logs = list(threads.map(math.log1p, range(100)))
total = sum(roots) - sum(logs)""",
        metric="total",
    ),
    Case(
        name="joblib",
        setup=(
            "from joblib import Parallel, delayed\nimport numpy as np\n"
            "def trial(k):\n    return np.random.default_rng(k).normal(size=1000).max()",
        ),
        code="maxima = Parallel(n_jobs=2)(delayed(trial)(k) for k in range(8))\nmean_max = float(np.mean(maxima))",
        metric="mean_max",
        needs=("joblib",),
    ),
)
