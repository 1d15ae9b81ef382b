"""Feature spaces and pytorch-fid's FID, against the installed package, with a random Inception in the real one's layout."""

import hashlib
import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor, nn

from sagan_div.data import datasets
from sagan_div.errors import UserError
from sagan_div.evaluation import features, frechet, inception
from sagan_div.study import schema as config
from support import OFFICIAL, ROOT, command


def digits(size: int = 16) -> tuple[Tensor, Tensor]:
    """scikit-learn's digits as uint8 images [1797, 1, size, size], shuffled, with their labels."""
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    images = torch.from_numpy(found.images[order, None] * 15).float()
    larger = nn.functional.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
    return larger.round().to(torch.uint8), torch.from_numpy(found.target[order])


def trained(images: Tensor, labels: Tensor | None, epochs: int = 2, seed: int = 0) -> tuple[features.Classifier, float]:
    split = len(images) * 3 // 4
    parts = (None, None) if labels is None else (labels[:split], labels[split:])
    settings = config.ClassifierConfig(epochs=epochs, seed=seed)
    return features.train_classifier(images[:split], parts[0], images[split:], parts[1], settings, "cpu", lambda text: None)


@pytest.fixture(scope="module")
def classifier() -> features.Classifier:
    return trained(*digits())[0]


# The domain classifier


def test_classifier_learns_and_its_features_are_scaled(tmp_path: Path) -> None:
    images, labels = digits(32)
    split = len(images) * 3 // 4
    network, accuracy = trained(images, labels, epochs=4)
    assert accuracy > 0.95
    features.save_classifier(tmp_path / "c.safetensors", network, {"dataset": "digits"})
    extractor = features.classifier_extractor(tmp_path / "c.safetensors", "cpu")
    found = features.extract(extractor, images[:split], 100)
    assert np.square(found).sum(1).mean() == pytest.approx(extractor.dimensions, rel=1e-5)
    assert (found.max(0) > 0).all()  # no feature is dead
    probabilities = extractor.probabilities(features.extract(extractor, images[split:]))
    assert (probabilities.argmax(1) == labels[split:].numpy()).mean() == pytest.approx(accuracy)
    assert probabilities.sum(1) == pytest.approx(1)


def test_classifier_is_its_seeds_alone() -> None:
    images, labels = digits()

    def weights(seed: int, noise: int) -> Tensor:
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        network, _ = trained(images[:400], labels[:400], epochs=1, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)  # nobody else's random numbers are drawn
        return torch.cat([value.flatten() for value in network.parameters()])

    assert torch.equal(weights(0, 1), weights(0, 2))
    assert not torch.allclose(weights(0, 1), weights(1, 1))


def test_scaling_the_features_keeps_the_logits(classifier: features.Classifier) -> None:
    images = digits()[0][:100]
    before = classifier(datasets.to_float(images))
    features._scale(classifier, images, "cpu")
    torch.testing.assert_close(classifier(datasets.to_float(images)), before)


def test_images_of_any_size_fit() -> None:
    for size in (16, 28, 32, 48, 64, 97, 128):
        network = features.Classifier(1, 2, size).eval()
        assert network(torch.zeros(1, 1, size, size)).shape == (1, 2)


@pytest.mark.parametrize("size", [16, 64])
def test_unlabelled_colour_images_are_told_by_their_turns(size: int) -> None:
    images = digits(size)[0][:600].expand(-1, 3, -1, -1) // torch.tensor([1, 2, 4], dtype=torch.uint8).view(3, 1, 1)
    network, accuracy = trained(images, None, epochs=2)
    assert network.head.out_features == 4
    assert accuracy > 0.5  # chance is a quarter


def test_classifier_survives_its_file(tmp_path: Path, classifier: features.Classifier) -> None:
    path, images = tmp_path / "c.safetensors", digits()[0][:50]
    features.save_classifier(path, classifier, {"dataset": "digits"})
    logits = classifier(datasets.to_float(images))
    assert torch.equal(features.load_classifier(path, "cpu")(datasets.to_float(images)), logits)
    again = tmp_path / "again.safetensors"
    features.save_classifier(again, features.load_classifier(path, "cpu"), {"dataset": "digits"})
    assert again.read_bytes() == path.read_bytes()  # its digest can stand in git
    extractor = features.classifier_extractor(path, "cpu")
    found = extractor.probabilities(features.extract(extractor, images))
    np.testing.assert_allclose(found, logits.softmax(1), rtol=1e-4, atol=1e-7)


def test_damaged_or_foreign_classifiers_are_refused(tmp_path: Path, classifier: features.Classifier) -> None:
    path = tmp_path / "c.safetensors"
    features.save_classifier(path, classifier, {})
    whole = path.read_bytes()
    for content in (
        b"",
        whole[:100],
        whole[:-1],
        whole.replace(b"head.bias", b"tail.bias"),
        whole.replace(b"image_size", b"imagesize_"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match="is no domain classifier of this version"):
            features.load_classifier(path, "cpu")
    with pytest.raises(UserError, match="is missing"):
        features.load_classifier(tmp_path / "other", "cpu")


def test_classifier_refuses_images_of_another_size(tmp_path: Path, classifier: features.Classifier) -> None:
    features.save_classifier(tmp_path / "c.safetensors", classifier, {})
    extractor = features.classifier_extractor(tmp_path / "c.safetensors", "cpu")
    with pytest.raises(UserError, match=r"for images \(1, 16, 16\), these are \(1, 32, 32\)"):
        features.extract(extractor, digits(32)[0][:10])


@pytest.mark.slow
@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official archives are not here")
@pytest.mark.parametrize(("name", "wanted"), [("mnist", 0.99), ("fashion-mnist", 0.91)])
def test_classifier_is_good_on_the_official_test_sets(name: str, wanted: float) -> None:
    splits = datasets.load(config.DatasetConfig(name=name), str(OFFICIAL), lambda text: None)
    sized = {key: datasets.resized(torch.from_numpy(split.images), 32) for key, split in splits.items()}
    labels = {key: torch.from_numpy(split.labels) for key, split in splits.items()}
    settings = config.ClassifierConfig(epochs=4, seed=0)
    _, accuracy = features.train_classifier(
        sized["train"], labels["train"], sized["test"], labels["test"], settings, "cpu", lambda text: None
    )
    assert accuracy >= wanted


# Inception


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded random Inception in the layout of the real one, under its name, where the pytorch-fid command looks for it."""
    pytest.importorskip("pytorch_fid")
    path = tmp_path_factory.mktemp("torch") / "hub" / "checkpoints" / features.WEIGHTS.name
    path.parent.mkdir(parents=True)
    runpy.run_path(str(ROOT / "benchmarks" / "scoring.py"))["random_inception"](path, digits(64)[0][:6])
    assert len(torch.load(path, weights_only=True)) == 566  # as in the real file
    return path


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return digits(64)[0][6:18].numpy()


def as_folder(images: np.ndarray, path: Path) -> Path:
    path.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(path / f"{i:05}.png")
    return path


def pytorch_fid(weights: Path, *words: object) -> str:
    """What the pytorch-fid command prints, with one thread."""
    environment = os.environ | {"TORCH_HOME": str(weights.parents[2]), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "pytorch_fid", "--device", "cpu", "--num-workers", "0", *map(str, words)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout


def our_fid(a: Path, b: Path, *words: object) -> str:
    """The last line of our command, likewise with one thread."""
    done = command("sagan-div", "fid", a, b, "--mode", "exact", "--device", "cpu", "--threads", 1, *words, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].replace("FID: ", "FID:  ")  # theirs has two spaces


def in_many_formats(images: np.ndarray, path: Path) -> Path:
    """A folder of grey and coloured pictures, with and without loss."""
    path.mkdir()
    for i, image in enumerate(images[:, 0]):
        coloured = np.stack([image, 255 - image, np.roll(image, i, 0)], axis=-1)
        Image.fromarray(coloured if i % 3 else image).save(path / f"{i:05}.{('png', 'jpg', 'bmp', 'jpeg')[i % 4]}")
    return path


def test_exact_statistics_are_pytorch_fids(weights: Path, samples: np.ndarray, tmp_path: Path) -> None:
    """Of grey and coloured pictures with a remainder after the batches; samples have the features of their PNGs."""
    folder = in_many_formats(samples[:8], tmp_path / "a")
    pytorch_fid(weights, "--save-stats", folder, tmp_path / "theirs.npz", "--batch-size", 3)
    theirs = frechet.load_statistics(tmp_path / "theirs.npz")
    extractor = features.inception_extractor(weights, "cpu", "exact")
    ours = inception.exact_moments(features.extract(extractor, inception.Folder(folder), 3), extractor.identity)
    assert np.array_equal(ours.mean, theirs.mean)
    assert np.array_equal(ours.covariance, theirs.covariance)
    pictures = inception.Folder(as_folder(samples[:3], tmp_path / "b"))
    exact = features.extract(extractor, pictures)
    assert np.array_equal(features.extract(extractor, samples[:3]), exact)
    fast = features.extract(features.inception_extractor(weights, "cpu"), samples[:3])
    assert not np.array_equal(fast, exact)
    assert np.linalg.norm(fast - exact) / np.linalg.norm(exact) < 1e-4


def test_exact_fid_of_statistics_prints_the_digits_of_pytorch_fid(weights: Path, tmp_path: Path) -> None:
    """Of full rank and without, as either tool writes them. A matrix root of 2048 dimensions would take a minute."""
    random = np.random.default_rng(0)
    few, many = (inception.exact_moments(np.maximum(random.normal(size=(n, 150)), 0).astype(np.float32)) for n in (40, 400))
    frechet.save_statistics(tmp_path / "ours.npz", few)
    np.savez_compressed(tmp_path / "theirs.npz", mu=many.mean, sigma=many.covariance)
    places = tmp_path / "ours.npz", tmp_path / "theirs.npz"
    assert our_fid(*places) == pytorch_fid(weights, *places).splitlines()[-1]


@pytest.mark.slow
def test_exact_fid_prints_the_digits_of_pytorch_fid(weights: Path, samples: np.ndarray, tmp_path: Path) -> None:
    """Statistics that they wrote against samples, and statistics that we wrote from samples against a folder, read by them."""
    a, b = samples[:7], samples[7:]
    folder_a, folder_b = as_folder(a, tmp_path / "a"), as_folder(b, tmp_path / "b")
    np.savez(tmp_path / "b-samples.npz", images=b)
    pytorch_fid(weights, "--save-stats", folder_a, tmp_path / "theirs.npz")
    extractor = features.inception_extractor(weights, "cpu", "exact")
    ours = inception.exact_moments(features.extract(extractor, a), extractor.identity)
    frechet.save_statistics(tmp_path / "ours.npz", ours)
    expected = pytorch_fid(weights, tmp_path / "ours.npz", folder_b).splitlines()[-1]
    found = our_fid(tmp_path / "theirs.npz", tmp_path / "b-samples.npz", "--weights", weights)
    assert found == expected
    fast = inception.fid(tmp_path / "theirs.npz", folder_b, weights, "cpu", note=lambda text: None)
    assert fast == pytest.approx(float(found.split()[-1]), rel=1e-5)
    assert fast > 1


def test_probabilities_are_those_of_the_last_layer_without_its_bias(weights: Path) -> None:
    extractor, state = features.inception_extractor(weights, "cpu"), torch.load(weights, weights_only=True)
    found = np.abs(np.random.default_rng(0).normal(size=(3, 2048))).astype(np.float32)
    expected = (torch.from_numpy(found) @ state["fc.weight"].T).double().softmax(1)
    np.testing.assert_allclose(extractor.probabilities(found), expected, rtol=1e-4)
    assert extractor.identity == f"inception:{hashlib.sha256(weights.read_bytes()).hexdigest()}"


def test_pytorch_fids_own_loader_is_left_as_it_was(weights: Path) -> None:
    published = pytest.importorskip("pytorch_fid.inception")
    before = published.load_state_dict_from_url
    features.inception_extractor(weights, "cpu")
    assert published.load_state_dict_from_url is before


def test_exact_moments_are_numpys_to_the_last_bit() -> None:
    found = np.random.default_rng(0).normal(size=(2500, 20)).astype(np.float32)
    ours, values = inception.exact_moments(found), found.astype(np.float64)
    assert np.array_equal(ours.mean, np.mean(values, axis=0))
    assert np.array_equal(ours.covariance, np.cov(values, rowvar=False))


def test_exact_distance_works_without_disp(monkeypatch: pytest.MonkeyPatch) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    random = np.random.default_rng(0)
    a, b = (inception.exact_moments(random.normal(size=(60, 8)).astype(np.float32)) for _ in range(2))
    expected = fid_score.calculate_frechet_distance(a.mean, a.covariance, b.mean, b.covariance)
    assert inception.exact_distance(a, b) == expected
    old = fid_score.linalg.sqrtm
    monkeypatch.setattr(fid_score.linalg, "sqrtm", lambda A: old(A))  # noqa: N803 (SciPy 1.18's signature)
    with pytest.raises(TypeError):
        fid_score.calculate_frechet_distance(a.mean, a.covariance, b.mean, b.covariance)
    assert inception.exact_distance(a, b) == expected


# Places


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def line(tmp_path: Path, weights: Path, notes: list[str]) -> Callable[[Path], str]:
    """The one line that FID between a place and intact statistics ends with."""
    frechet.save_statistics(tmp_path / "intact.npz", frechet.Moments(9, np.zeros(2048), np.eye(2048)))

    def run(place: Path) -> str:
        with pytest.raises(UserError) as caught:
            inception.fid(place, tmp_path / "intact.npz", weights, "cpu", note=notes.append)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return run


def test_bad_folders_are_a_line_each(
    tmp_path: Path, line: Callable[[Path], str], samples: np.ndarray, notes: list[str]
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    assert "a: has no images" in line(folder)
    Image.fromarray(samples[0, 0]).save(folder / "0.png")
    (folder / "notes.TXT").write_text("hello")
    assert "a: the covariance of 1 image is not defined" in line(folder)
    assert "1 files are no images to pytorch-fid and are left out, e.g. notes.TXT" in notes[0]
    assert "1 images give 2048 features no covariance of full rank" in notes[1]
    Image.fromarray(samples[0, 0, :32]).save(folder / "1.png")
    assert "1.png: is 64x32 pixels, 0.png is 64x64" in line(folder)
    (folder / "1.png").write_text("hello")
    assert "1.png: is no intact image" in line(folder)
    Image.fromarray(samples[0, 0].astype(np.uint16) * 257).save(folder / "1.png")
    assert "1.png: has more than 8 bits" in line(folder)
    (folder / "1.png").write_bytes((folder / "0.png").read_bytes()[:-60])
    assert "1.png: is no intact image" in line(folder)


def test_bad_archives_are_a_line_each(tmp_path: Path, line: Callable[[Path], str]) -> None:
    def saved(**arrays: np.ndarray) -> Path:
        np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
        return tmp_path / "a.npz"

    assert "a.npz: holds no statistics (arrays mu and sigma), but picture" in line(saved(picture=np.zeros(3)))
    assert "a.npz: its images are float64 (2, 1, 8, 8)" in line(saved(images=np.zeros((2, 1, 8, 8))))
    assert "a.npz: its images are uint8 (2, 8, 8)" in line(saved(images=np.zeros((2, 8, 8), np.uint8)))
    assert "a.npz, " in line(saved(mu=np.zeros(64), sigma=np.eye(64)))
    assert "64 and of 2048 features cannot be compared" in line(saved(mu=np.zeros(64), sigma=np.eye(64)))
    assert "nowhere: does not exist" in line(tmp_path / "nowhere")


def test_statistics_of_other_weights_are_refused(tmp_path: Path, weights: Path, samples: np.ndarray) -> None:
    frechet.save_statistics(tmp_path / "a.npz", frechet.Moments(9, np.zeros(2048), np.eye(2048), "inception:other"))
    np.savez(tmp_path / "b.npz", images=samples[:2])
    with pytest.raises(UserError, match="statistics of inception:other and of inception:"):
        inception.fid(tmp_path / "a.npz", tmp_path / "b.npz", weights, "cpu", note=lambda text: None)


def test_statistics_alone_need_no_weights(tmp_path: Path, samples: np.ndarray) -> None:
    for name, shift in (("a", 0.0), ("b", 2.0)):
        frechet.save_statistics(tmp_path / f"{name}.npz", frechet.Moments(9, np.full(3, shift), np.eye(3)))
    assert inception.fid(tmp_path / "a.npz", tmp_path / "b.npz", None, "cpu") == pytest.approx(12)
    np.savez(tmp_path / "c.npz", images=samples)
    with pytest.raises(UserError, match="need Inception's weights"):
        inception.fid(tmp_path / "a.npz", tmp_path / "c.npz", None, "cpu")


def test_a_folder_is_read_as_pytorch_fid_reads_it(tmp_path: Path) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    assert {f".{ending}" for ending in fid_score.IMAGE_EXTENSIONS} == inception.ENDINGS
    gray = np.random.default_rng(0).integers(0, 256, (9, 9), np.uint8)
    for name, mode in (("b.png", "L"), ("a.png", "P"), ("c.bmp", "RGB"), ("d.png", "LA"), ("E.PNG", "L")):
        Image.fromarray(gray).convert(mode).save(tmp_path / name)
    found = inception.Folder(tmp_path)
    assert [file.name for file in found.files] == ["a.png", "b.png", "c.bmp", "d.png"]
    assert np.array_equal(found[1:3], np.broadcast_to(gray, (2, 3, 9, 9)))


# Inception's weights


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror that has a file of weights, of which the published size and SHA-256 are now those."""
    content = np.random.default_rng(0).bytes(5000)
    path = tmp_path / "mirror" / "inception" / features.WEIGHTS.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    known = features.WEIGHTS._replace(
        size=5000, sha256=hashlib.sha256(content).hexdigest(), url="http://127.0.0.1:9/weights.pth"
    )
    monkeypatch.setattr(features, "WEIGHTS", known)
    return path


def test_weights_are_fetched_once(published: Path, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    content, told = published.read_bytes(), list[str]()
    mirrors = [str(tmp_path / "mirror"), str(published.parent), serve(tmp_path / "mirror") + "/"]
    for i, mirror in enumerate(mirrors):
        path = features.fetch_weights(tmp_path / str(i), mirror, told.append)
        assert path == tmp_path / str(i) / features.WEIGHTS.name
        assert path.read_bytes() == content
    told.clear()
    published.unlink()
    assert features.fetch_weights(tmp_path / "0", mirrors[0], told.append).read_bytes() == content
    assert not told


@pytest.mark.parametrize("damage", ["short", "other"])
def test_damaged_weights_are_never_kept(published: Path, tmp_path: Path, damage: str) -> None:
    whole, folder = published.read_bytes(), tmp_path / "kept"
    published.write_bytes(whole[:-1] if damage == "short" else whole[:-1] + b"x")
    with pytest.raises(UserError) as caught:
        features.fetch_weights(folder, str(tmp_path / "mirror"), lambda text: None)
    reason = "4999 bytes instead of 5000" if damage == "short" else "its SHA-256 is not that of the published file"
    assert reason in str(caught.value)
    assert f"put {features.WEIGHTS.name} into {folder}" in str(caught.value)
    assert not folder.exists()
    folder.mkdir()
    (folder / features.WEIGHTS.name).write_bytes(whole[:40])  # of an earlier, broken attempt
    published.write_bytes(whole)
    assert features.fetch_weights(folder, str(tmp_path / "mirror"), lambda text: None).read_bytes() == whole


def test_without_a_network_one_line_says_what_to_put_where(published: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        features.fetch_weights(tmp_path / "kept", None, lambda text: None)
    assert str(caught.value).startswith("Inception's weights cannot be had (http://127.0.0.1:9/weights.pth:")
    assert "\n" not in str(caught.value)


def test_foreign_weights_are_refused(tmp_path: Path, weights: Path) -> None:
    def line(path: Path) -> str:
        with pytest.raises(UserError) as caught:
            features.inception_extractor(path, "cpu")
        return str(caught.value)

    path = tmp_path / "w.pth"
    assert "is missing" in line(path)
    with weights.open("rb") as file:
        path.write_bytes(file.read(100_000))
    assert "is damaged" in line(path)
    torch.save({"fc.weight": torch.zeros(2, 2)}, path)
    assert "holds weights of another network" in line(path)
    torch.save([1, 2], path)
    assert "holds no weights by name" in line(path)
    torch.save({"a": Path("b")}, path)  # would have to be unpickled
    assert "holds more than weights" in line(path)
