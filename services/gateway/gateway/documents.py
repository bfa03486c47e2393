"""The shapes of the answers, for the gateway's description of itself; most are made by the services behind it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

Label = Literal["cat", "non-cat"]
Probability = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]


class ModelName(BaseModel):
    name: str
    version: str


class ImageFacts(BaseModel):
    format: str = Field(description="By content, not by name.", examples=["JPEG"])
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class PredictionTimings(BaseModel):
    decode: Milliseconds
    forward: Milliseconds
    total: Milliseconds


class Prediction(BaseModel):
    prediction_id: str = Field(description="UUIDv7.")
    label: Label
    confidence: Annotated[float, Field(ge=0.5, le=1)] = Field(description="max(cat_probability, 1 - cat_probability)")
    cat_probability: Probability
    certain: bool = Field(description="False inside the model's band of doubt (split conformal, stated coverage).")
    model: ModelName
    image: ImageFacts
    timings_ms: PredictionTimings


Method = Literal["gradient", "smoothgrad", "integrated_gradients", "occlusion"]


class Explanation(Prediction):
    method: Method
    heatmap: list[list[Annotated[float, Field(ge=-1, le=1)]]] = Field(
        description="64 rows of 64: how much each place speaks for a cat (positive) or against one (negative)."
    )
    heatmap_png: str = Field(description="The same as a picture.", examples=["data:image/png;base64,…"])


class FeedbackGiven(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prediction_id: UUID = Field(description="As the prediction's answer named it.")
    label: Label = Field(description="What the photo really showed.")


class FeedbackNoted(BaseModel):
    prediction_id: UUID
    label: Label
    predicted: Label
    agrees: bool
    replaced: Label | None = Field(description="What was said of the prediction before.")


class Problem(BaseModel):
    """RFC 9457."""

    type: str = Field(examples=["urn:catnet:problem:bad-request"])
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str
    instance: str = Field(description="The path that was asked.")
    request_id: str


class Conformal(BaseModel):
    coverage: Probability


class ReferenceFacts(BaseModel):
    images: Count


class ServedModel(BaseModel):
    name: str
    version: str
    default: bool = Field(description="Whether it answers requests that name no model.")
    classes: list[str]
    metrics: dict[str, dict[str, float]] = Field(description="By data set.")
    conformal: Conformal
    reference: ReferenceFacts | None = Field(description="What drift is measured against.")
    created: str
    sha256: str


class Models(BaseModel):
    models: list[ServedModel]


class ReportWindow(BaseModel):
    name: Literal["15m", "1h", "24h", "7d"]
    seconds: Count
    start: datetime
    end: datetime


class PredictionCounts(BaseModel):
    total: Count
    cat: Count
    non_cat: Count
    uncertain: Count
    cat_ratio: Probability | None
    per_second: Annotated[float, Field(ge=0)]


class StageLatency(BaseModel):
    p50: Milliseconds | None


class Stages(BaseModel):
    decode: StageLatency
    forward: StageLatency


class LatencySummary(BaseModel):
    count: Count
    avg: Milliseconds | None
    p50: Milliseconds | None
    p95: Milliseconds | None
    p99: Milliseconds | None
    max: Milliseconds | None
    relative_error: float
    stages: Stages


class ConfidenceHistogram(BaseModel):
    bin_edges: list[float]
    counts: list[Count]
    by_label: dict[Label, list[Count]] = Field(
        description="The same by what was said, but for what older monitors counted."
    )
    mean: Probability | None


DriftStatus = Literal["insufficient_data", "ok", "warning", "drift"]


class FeatureDrift(BaseModel):
    name: str
    status: DriftStatus
    psi: float | None
    threshold: float | None = Field(description="Of the PSI, at this window's size and the stated false-alarm rate.")
    p_value: Probability | None
    shift: Annotated[float, Field(ge=-1, le=1)] | None = Field(
        description="P(now > reference) - P(now < reference): which way the feature moved, and how far."
    )
    sentence: str = Field(examples=["photos are much darker than in the reference"])
    bin_edges: list[float]
    categories: list[str] = Field(description="Names of the bins, where the feature is no number.")
    reference: list[Count]
    current: list[Count]


class DriftReference(BaseModel):
    """What traffic is compared with: what came with the model, or traffic that an operator adopted."""

    source: Literal["manifest", "traffic"]
    adopted_at: datetime | None
    start: datetime | None
    end: datetime | None
    events: Count | None


class Drift(BaseModel):
    status: DriftStatus
    window_size: Count
    minimum: Count
    false_alarm_rate: Probability
    features: list[FeatureDrift]
    reference: DriftReference


class EstimatedAccuracy(BaseModel):
    value: Probability | None
    low: Probability | None
    high: Probability | None
    reliable: bool | None = Field(description="False while there is drift; null where nobody can tell.")


class CalibrationBin(BaseModel):
    """Judged predictions of one confidence bin: how sure they were on average, and how often right."""

    count: Count
    confidence: Probability | None
    accuracy: Probability | None
    low: Probability | None
    high: Probability | None


class Feedback(BaseModel):
    count: Count
    accuracy: Probability | None
    low: Probability | None = Field(description="Of the accuracy's 95 % interval (Wilson).")
    high: Probability | None
    confusion: dict[Label, dict[Label, Count]] = Field(description="What was said, then what it was.")
    calibration_error: Probability | None
    calibration: list[CalibrationBin] = Field(description="One a bin of the confidence histogram.")


class ShadowComparison(BaseModel):
    """How often a shadow model said something else of the same photos."""

    model: str = Field(examples=["catnet/1"])
    compared: Count
    disagreements: Count
    rate: Probability
    low: Probability
    high: Probability


class Quality(BaseModel):
    estimated_accuracy: EstimatedAccuracy
    feedback: Feedback


class Pipeline(BaseModel):
    """How far counting has come, and whether every answered prediction is accounted for."""

    lag: Count = Field(description="Events not yet given to a monitor.")
    lag_is_exact: bool
    pending: Count = Field(description="Events given to a monitor and not yet settled.")
    consumed: Count = Field(description="Predictions counted, each once.")
    shadow: Count = Field(description="Predictions of shadow models, apart from those.")
    duplicates: Count
    dead: Count = Field(description="Entries that are no event.")
    lost: Count = Field(description="Events that the stream dropped before they were counted.")
    answered: Count = Field(description="Predictions answered, as inference says.")
    buffered: Count = Field(description="Events that inference still holds.")
    dropped: Count = Field(description="Events that inference gave up.")
    dropped_by_reason: dict[str, Count]
    balanced: bool | None = Field(description="Whether nothing is missing; null while that cannot be told.")
    last_event_age_seconds: float | None


class SeriesPoint(BaseModel):
    time: datetime
    total: Count
    cat: Count
    p50_ms: Milliseconds | None
    p95_ms: Milliseconds | None


class RecentPrediction(BaseModel):
    prediction_id: str
    time: datetime
    label: Label
    confidence: Probability
    certain: bool
    latency_ms: Milliseconds
    model: str = Field(examples=["catnet-mlp/1"])
    feedback: Label | None


class Report(BaseModel):
    window: ReportWindow
    model: ModelName
    predictions: PredictionCounts
    latency_ms: LatencySummary
    confidence: ConfidenceHistogram
    drift: Drift
    quality: Quality
    shadow: ShadowComparison | None
    pipeline: Pipeline
    series: list[SeriesPoint]
    recent: list[RecentPrediction]


class ServiceStates(BaseModel):
    inference: Literal["ok", "not ready", "away"]
    monitor: Literal["ok", "not ready", "away"]
    redis: Literal["ok", "refusing", "away", "unknown"]


class HealthState(BaseModel):
    status: Literal["ok", "degraded"]
    services: ServiceStates
    version: str


class Live(BaseModel):
    status: Literal["live"]


class Ready(BaseModel):
    status: Literal["ready", "not ready"]
    ok: list[str]
    failing: dict[str, str] = Field(description="The reason by name.")
    draining: bool
