import pytest

from sleepsweep.learn.memory import is_gpu_full


@pytest.mark.parametrize(
    "error",
    [
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB.",
        "torch.AcceleratorError: CUDA error: out of memory\nCUDA kernel errors might be ...",
        "RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "RuntimeError: cuFFT error: CUFFT_ALLOC_FAILED",
        "RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "RuntimeError: cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "RuntimeError: GET was unable to find an engine to execute this computation",
    ],
)
def test_a_full_gpu_is_known_in_all_its_words(error: str) -> None:
    assert is_gpu_full(error)


@pytest.mark.parametrize("error", ["RuntimeError: mat1 and mat2 shapes", "MemoryError", ""])
def test_other_errors_are_others(error: str) -> None:
    assert not is_gpu_full(error)
