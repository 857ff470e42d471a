"""The hierarchical model behind every ranking: rows → design → restricted likelihood → posterior.

Observation of trial i at rung r, in macro-F1 points::

    y = block + rung + covariates + f(x, s) + u_i + [r before the last]·(d_r·x + e_ir)
    f = Σ b_j x_j + Σ g_jk x_j x_k + h(|x|) + dials + covariates by augmentation

    b_j  = b0 + category mean + own part   b0 ~ N(0, 30²)  category ~ N(0, τ_c²)  own ~ N(0, τ_w²)
    g_jk ~ N(0, τ_g²)     for each pair of augmentations
    h    ~ Gaussian process over size, length-scale 2, sd τ_h
    dials: x_j·(β_j t + γ_j (t² − 1/12)), t in [−½, ½] over the range of severity, p or parameter,
           β_j ~ N(β, τ_β²), γ_j ~ N(γ, τ_γ²), β and γ ~ N(0, 3²)
    d_r  ~ N(0, τ_d²)     per early rung and augmentation (slow ones look bad early)
    u_i  ~ N(0, σ_u²)     e_ir ~ N(0, σ_e²)     block, rung and covariate offsets flat

A placebo is a control: it has an effect of its own, N(0, 30²), learns from no other augmentation,
and does not count towards size |x|. A stopped trial may be used as it is: it was stopped because
of values that are themselves in y, so the stopping is ignorable (Rubin 1976, Biometrika
63:581–592).
"""

from sleepsweep_analysis.model.design import Design, build, enough
from sleepsweep_analysis.model.posterior import Estimate, Posterior, fit
from sleepsweep_analysis.model.reml import PRIORS, Reml

__all__ = ["PRIORS", "Design", "Estimate", "Posterior", "Reml", "build", "enough", "fit"]
