"""Networks: torch and transformers."""

from ordinary.case import Case

MOONS = """
import torch
from torch import nn
from sklearn.datasets import make_moons

torch.set_num_threads(1)
points, labels = make_moons(300, noise=0.2, random_state=0)
points, labels = torch.tensor(points, dtype=torch.float32), torch.tensor(labels)
X_train, y_train, X_test, y_test = points[:200], labels[:200], points[200:], labels[200:]
"""


CELLS = (
    Case(
        name="cell that needs 20 s",
        setup=("import time\nimport numpy as np\n\ndef measure(step):\n    time.sleep(0.2)\n    return np.sin(step)",),
        code="""rng = np.random.default_rng(1)
readings = []
for step in range(100):  # the instrument gives five readings a second
    readings.append(measure(step) + rng.normal(0, 0.1))
spread = np.std(readings)""",
        metric="spread",
        slow=True,
    ),
    Case(
        name="Trainer on random weights",
        setup=(
            """import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

class Sequences(Dataset):
    def __init__(self, count, seed):
        rng = np.random.default_rng(seed)
        self.tokens = torch.tensor(rng.integers(1, 50, (count, 12)))
        self.labels = (self.tokens[:, 0] > 25).long()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return {"input_ids": self.tokens[index], "labels": self.labels[index]}

def compute_metrics(pair):
    logits, labels = pair
    return {"accuracy": float((logits.argmax(-1) == labels).mean())}

train_data, eval_data = Sequences(96, 0), Sequences(64, 1)
""",
        ),
        code="""set_seed(0)
config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
                    max_position_embeddings=16, num_labels=2)
arguments = TrainingArguments(output_dir="checkpoints", num_train_epochs=3, per_device_train_batch_size=16,
                              learning_rate=5e-3, report_to="none", use_cpu=True, save_strategy="no", seed=0)
trainer = Trainer(model=BertForSequenceClassification(config), args=arguments, train_dataset=train_data,
                  eval_dataset=eval_data, compute_metrics=compute_metrics)
trainer.train()
results = trainer.evaluate()
accuracy, loss = results["eval_accuracy"], results["eval_loss"]""",
        metric="loss",
        needs=("transformers", "accelerate"),
        slow=True,
    ),
    Case(
        name="torch loop with a scheduler",
        setup=(MOONS,),
        code="""torch.manual_seed(0)
net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))
optimizer = torch.optim.AdamW(net.parameters(), lr=0.05, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
criterion = nn.CrossEntropyLoss()
for epoch in range(40):
    net.train()
    for start in range(0, len(X_train), 50):
        optimizer.zero_grad()
        batch_loss = criterion(net(X_train[start:start + 50]), y_train[start:start + 50])
        batch_loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    scheduler.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch}: loss {batch_loss.item():.4f}, lr {scheduler.get_last_lr()[0]:.4f}")
net.eval()
with torch.no_grad():
    test_loss = criterion(net(X_test), y_test).item()""",
        metric="test_loss",
    ),
    Case(
        name="DataLoader with workers",
        setup=(
            f"""{MOONS}
from torch.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.inner = nn.Linear(2, hidden)
        self.outer = nn.Linear(hidden, 2)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x)))
""",
        ),
        code="""torch.manual_seed(3)
net = Net(hidden=12)
loader = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True, num_workers=2)
optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
for epoch in range(3):
    for x, target in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), target).backward()
        optimizer.step()
with torch.no_grad():
    accuracy = (net(X_test).argmax(1) == y_test).float().mean()""",
        metric="accuracy",
    ),
    Case(
        name="seeded in the cell above",
        setup=(MOONS, "torch.manual_seed(8)\ndevice = torch.device('cuda' if torch.cuda.is_available() else 'cpu')"),
        code="""model = nn.Linear(2, 2).to(device)
opt = torch.optim.Adam(model.parameters(), lr=0.1)
for _ in range(30):
    opt.zero_grad()
    loss = nn.CrossEntropyLoss()(model(X_train.to(device)), y_train.to(device))
    loss.backward()
    opt.step()
final = loss.item()""",
        metric="final",
        seed=8,
    ),
    Case(
        name="checkpoint that the cell writes and reads",
        setup=(MOONS, "from pathlib import Path"),
        code="""torch.manual_seed(1)
out = Path("checkpoints")
out.mkdir(exist_ok=True)
net, best_loss = nn.Linear(2, 2), float("inf")
optimizer = torch.optim.LBFGS(net.parameters(), max_iter=5)

def closure():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(X_train), y_train)
    loss.backward()
    return loss

for step in range(4):
    loss = optimizer.step(closure).item()
    if loss < best_loss:
        best_loss = loss
        torch.save(net.state_dict(), out / "best.pt")
net.load_state_dict(torch.load(out / "best.pt", weights_only=True))
test_loss = nn.functional.cross_entropy(net(X_test), y_test).item()""",
        metric="test_loss",
    ),
    Case(
        name="model made in the cell above",
        setup=(
            MOONS,
            "torch.manual_seed(2)\nencoder = nn.Sequential(nn.Linear(2, 32), nn.Tanh()).requires_grad_(False)",
        ),
        code="""torch.manual_seed(0)
head = nn.Linear(32, 2)
optimizer = torch.optim.Adam(head.parameters(), lr=0.02)
for epoch in range(25):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(head(encoder(X_train)), y_train)
    loss.backward()
    optimizer.step()
accuracy = (head(encoder(X_test)).argmax(dim=1) == y_test).double().mean().item()""",
        metric="accuracy",
    ),
)
