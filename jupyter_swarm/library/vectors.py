"""Passages as vectors, in Chroma. Only the librarian imports this: one process owns the store, and never forks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_swarm.library.embedder import Search
from jupyter_swarm.library.lexical import heading
from jupyter_swarm.protocols import Passage

THREADS = 1


class Vectors:
    """One collection for each set of weights: a changed model begins another, and never mixes with the old."""

    def __init__(self, folder: Path, model: Search) -> None:
        # Nothing is fetched from here on: the model lies on disk.
        os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", ANONYMIZED_TELEMETRY="False")
        import chromadb
        import torch
        from chromadb.config import Settings
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(THREADS)
        self._encoder: Any = SentenceTransformer(str(model.folder), device="cpu", local_files_only=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        self._client: Any = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        self._collection: Any = self._client.get_or_create_collection(
            f"passages-{model.digest[:16]}",
            embedding_function=None,
            configuration={"hnsw": {"space": "cosine"}},
            metadata={"model": model.name},
        )

    @staticmethod
    def forget() -> None:
        """Let go of what Chroma keeps of stores that were opened in this process."""
        from chromadb.api.shared_system_client import SharedSystemClient

        SharedSystemClient.clear_system_cache()

    def ids(self) -> set[str]:
        """Passages that have a vector."""
        return set(self._collection.get(include=[])["ids"])

    def add(self, passages: Sequence[Passage]) -> None:
        """Embed passages and keep their vectors; durable on return."""
        texts = [f"{heading(passage)}. {passage.text}" for passage in passages]
        self._collection.upsert(
            ids=[passage.id for passage in passages],
            embeddings=self._encode(texts),
            metadatas=[{"paper": passage.paper} for passage in passages],
        )

    def query(self, text: str, limit: int, papers: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """Passages nearest to `text` with their cosine similarity, best first; only of `papers`, where given."""
        limit = min(limit, self._collection.count())
        if limit < 1:
            return []
        where = {"paper": {"$in": list(papers)}} if papers is not None else None
        found = self._collection.query(
            query_embeddings=self._encode([text]), n_results=limit, where=where, include=["distances"]
        )
        return [(key, 1.0 - float(gap)) for key, gap in zip(found["ids"][0], found["distances"][0], strict=True)]

    def _encode(self, texts: list[str]) -> Any:
        return self._encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
